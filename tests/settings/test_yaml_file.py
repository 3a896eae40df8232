"""params.yaml and datasets/ are read as DVC reads it, and DVC can set each of its values alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml
from dvc.utils.serialize._yaml import dumps_yaml
from dvc.utils.serialize._yaml import parse_yaml as dvc_parse
from hypothesis import given
from hypothesis import strategies as st
from support.params import file_and_key
from support.project import copy_settings

from sentigate.errors import ParamsError
from sentigate.settings.params import load_params
from sentigate.settings.yaml_file import parse_yaml, read_yaml

ROOT = Path(__file__).parents[2]
FILES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (ROOT / "params.yaml", *sorted((ROOT / "datasets").glob("*.yaml")))
}
COMMITTED = FILES["params.yaml"]


def leaves(values: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, values


VALUES = {name: dict(leaves(parse_yaml(text, name))) for name, text in FILES.items()}
LEAVES = {
    f"{name}:{'.'.join(path)}": (name, path)
    for name, values in VALUES.items()
    for path in values
    if "." not in "".join(path)
}
"""Name in ``dvc exp run -S`` -> file, and keys."""


def other(value: object) -> tuple[str, object]:
    """Return another value of the same type, as written on the command line and as read."""
    match value:
        case bool():
            return str(not value).lower(), not value
        case int() | float():
            return str(value + 1), value + 1
        case list():
            return "[other, 2]", ["other", 2]
    return "other", "other"


def test_the_files_have_many_leaves() -> None:
    assert len(LEAVES) > 250
    expected = {
        "params.yaml:models.bilstm.training.learning_rate",
        "datasets/vader.yaml:labels.Neutral",
    }
    assert expected <= set(LEAVES)


def half(bit: int, side: int) -> dict[str, object]:
    """Return the names whose number has this bit, with their values.

    For any two names, one of these halves has the first and not the second.
    """
    found = {}
    for number, each in enumerate(sorted(LEAVES)):
        name, path = LEAVES[each]
        if number >> bit & 1 == side:
            found[each] = VALUES[name][path]
    return found


@pytest.mark.parametrize("bit", range(len(LEAVES).bit_length()))
@pytest.mark.parametrize("side", [0, 1])
def test_dvc_sets_the_given_values_and_no_others(bit: int, side: int, tmp_path: Path) -> None:
    expected = {name: dict(values) for name, values in VALUES.items()}
    overrides: dict[str, list[str]] = {name: [] for name in FILES}
    for each, value in half(bit, side).items():
        name, path = LEAVES[each]
        text, changed = other(value)
        overrides[name].append(f"{'.'.join(path)}={text}")
        del expected[name][path]
        expected[name] |= leaves(changed, path)
    for name, text in FILES.items():
        file = tmp_path / Path(name).name
        file.write_text(text, encoding="utf-8")
        apply_overrides(file, overrides[name])
        assert dict(leaves(read_yaml(file))) == expected[name]
        assert comments(file.read_text("utf-8")) == comments(text)


def comments(text: str) -> list[str]:
    return re.findall(r"(?:^| )# (.*)", text, re.MULTILINE)


@pytest.mark.parametrize("override", ["models.bilstm.training.learning_rate=0.001", "model=lstm"])
def test_setting_one_value_changes_one_line(override: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(COMMITTED, encoding="utf-8")
    apply_overrides(path, [override])
    # DVC writes the same form, but breaks lines of more than 80 characters.
    after = re.sub(r"\.csv: ?\n +(?=[0-9a-f]{64}$)", ".csv: ", path.read_text("utf-8"), flags=re.M)
    pairs = zip(COMMITTED.splitlines(), after.splitlines(), strict=True)
    (changed,) = [new for old, new in pairs if old != new]
    key, _, value = override.rpartition("=")
    assert changed.split("#")[0].split() == [f"{key.rpartition('.')[2]}:", value]


PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
IN_PAGES = sorted(
    {each for page in PAGES for each in re.findall(r"-S (\S+=[^\s`]+)", page.read_text("utf-8"))}
)


@pytest.mark.parametrize("override", IN_PAGES)
def test_overrides_in_the_docs_have_an_effect(override: str, tmp_path: Path) -> None:
    key, _, text = override.removeprefix("+").partition("=")
    name, key = file_and_key(key)
    copy_settings(tmp_path)
    plus = "+" if override.startswith("+") else ""
    apply_overrides(tmp_path / name, [f"{plus}{key}={text}"])
    before, after = (
        dict(leaves(load_params(folder / "params.yaml").model_dump(by_alias=True)))
        for folder in (ROOT, tmp_path)
    )
    sections = () if name == "params.yaml" else ("datasets", Path(name).stem)
    place = (*sections, *key.split("."))
    assert str(after.pop(place)) == text
    assert str(before.pop(place)) != text
    assert after == before


def test_the_docs_change_existing_values_and_add_one() -> None:
    assert {each[0] for each in IN_PAGES} > {"+"}
    assert any(each.startswith("datasets/") for each in IN_PAGES)


@pytest.mark.parametrize(
    "text",
    ["no", "on", "1e-05", "1e5", "012", "0o14", "12:30:45", "1_000", ".5", "~", "null", "", "yes"],
)
def test_values_equal_those_that_dvc_compares(text: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"x: {text}\n", encoding="utf-8")
    assert read_yaml(path) == load_yaml(path)


@given(st.text(max_size=8))
def test_any_text_that_dvc_writes_is_read_as_dvc_reads_it(text: str) -> None:
    written = dumps_yaml({"x": text})
    assert parse_yaml(written, "params.yaml") == dvc_parse(written, "params.yaml")


def test_numbers_in_scientific_notation_are_numbers(tmp_path: Path) -> None:
    copy_settings(tmp_path)
    path = tmp_path / "params.yaml"
    apply_overrides(path, ["models.bilstm.training.learning_rate=1e-05"])
    assert "learning_rate: 1e-05" in path.read_text("utf-8")
    assert load_params(path).models["bilstm"].training.learning_rate == 1e-05


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: &x {b: 1}\n", 1, "the anchor &x"),
        ("a: 1\nb:\n  c: &x 1\nd: *x\n", 3, "the anchor &x"),
        ("a: {b: 1}\nc:\n  <<: {d: 1}\n", 3, "the merge key <<"),
    ],
)
def test_shared_values_are_refused(text: str, line: int, what: str) -> None:
    with pytest.raises(ParamsError) as caught:
        parse_yaml(text, "params.yaml")
    assert str(caught.value).startswith(f"params.yaml, line {line}: {what} shares values")
    assert "write all values in each entry" in str(caught.value)


def test_a_quoted_merge_key_is_a_plain_key() -> None:
    assert parse_yaml('"<<": 1\n', "params.yaml") == {"<<": 1}


def test_a_key_written_twice_is_refused() -> None:
    with pytest.raises(ParamsError, match=r'params\.yaml is not YAML: .*duplicate key "a"'):
        parse_yaml("a: 1\na: 2\n", "params.yaml")
