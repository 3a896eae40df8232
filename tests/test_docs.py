"""The pages of docs/ and the README: the site builds, links have targets, and parameters and
figures are those of the code and of benchmarks/."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import yaml
from support.params import read_values
from support.project import ROOT

from sentigate.model.text.cleaning_steps import CleaningSteps
from sentigate.settings.entry_files import with_entries
from sentigate.settings.params import Params, parse_params
from sentigate.settings.yaml_file import parse_yaml

DOCS = ROOT / "docs"
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
PAGES = sorted(DOCS.rglob("*.md"))
PARAMS = (ROOT / "params.yaml").read_text("utf-8")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def read(page: Path) -> str:
    return page.read_text("utf-8")


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


# The site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, in a new folder, and return the folder."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_contains_every_page(site: Path) -> None:
    for page in PAGES:
        assert (site / page.relative_to(DOCS).with_suffix(".html")).is_file(), page
    assert not list(site.rglob("*.py"))


def test_the_pages_load_nothing_from_other_hosts(site: Path) -> None:
    fetched = re.compile(
        r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
        r"|<link\b(?![^>]*rel=[\"']?canonical)[^>]*\bhref=[\"']?(?:https?:)?//"
    )
    for page in site.rglob("*.html"):
        assert not fetched.search(read(page)), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", read(sheet)), sheet


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    settings = yaml.safe_load(read(ROOT / "mkdocs.yml"))
    settings |= {"docs_dir": "pages", "site_dir": "site", "nav": [{"Home": "index.md"}]}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings), "utf-8")
    (tmp_path / "pages").mkdir()
    for text, fault in {
        "[x](gone.md)": "gone.md",
        "[x](#gone)": "#gone",
        "![x](gone.png)": "gone.png",
    }.items():
        (tmp_path / "pages/index.md").write_text(f"# Home\n\n{text}\n", "utf-8")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode, text
        assert fault in done.stderr


# Links of the README


def slugs(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [README, CONTRIBUTING, *PAGES], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_have_targets(page: Path) -> None:
    """Anchors are checked as on GitHub, which shows the README."""
    links = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", read(page)))
    for link in links:
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert target.resolve().is_relative_to(DOCS if page in PAGES else ROOT), link
        if anchor:
            assert anchor in slugs(target), link
    assert links or page.name == "glossary.md"


def test_the_readme_is_short() -> None:
    assert len(read(README).splitlines()) < 160


# Figures


@pytest.mark.parametrize("page", sorted((ROOT / "benchmarks").glob("*.md")), ids=lambda p: p.stem)
def test_figures_are_those_of_the_benchmarks(page: Path) -> None:
    shown = {row for shown in PAGES for row in rows(read(shown))}
    assert [row for row in rows(read(page)) if row not in shown] == []


def test_figures_of_the_readme_are_those_of_the_benchmarks() -> None:
    measured = json.loads(read(ROOT / "benchmarks/ablation.json"))["datasets"]
    table = {cells(row)[0].strip("`"): cells(row) for row in rows(read(README))}
    for name, found in measured.items():
        runs = [run["fused"] for run in found["trained"]["the default"].values()]
        alone = [
            run["network"]["test_accuracy"] for run in found["trained"]["the default"].values()
        ]
        gaps = [run["difference"] for run in runs]
        largest_p = max(gap["p_value"] for gap in gaps)
        p = "p < 0.0001" if largest_p < 0.0001 else f"p ≤ {math.ceil(largest_p * 1e4) / 1e4:g}"
        accuracies = [run["test_accuracy"] for run in runs]
        span = f" ({min(accuracies):.4f} – {max(accuracies):.4f})" if len(runs) > 1 else ""
        assert table[name][3:] == [
            f"{found['baseline']['test_accuracy']:.4f}",
            f"{mean(alone):.4f}",
            f"**{mean(accuracies):.4f}**{span}",
            f"{100 * mean(gap['accuracy'] for gap in gaps):+.1f}, {p}".replace("-", "−"),
        ]


def test_every_choice_is_described() -> None:
    values = read_values()
    text = read(DOCS / "results.md")
    for name in [*values["datasets"], *values["models"]]:
        assert f"`{name}`" in text, name


# Parameters

SCHEMA = Params.model_json_schema()
CHOSEN = {"datasets": "vader", "models": "bilstm", "baseline.candidates": "words_and_characters"}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def allowed(schema: dict[str, Any]) -> str:
    """Return the allowed values in words."""
    if "anyOf" in schema:
        return ", or ".join(allowed(resolved(part)) for part in schema["anyOf"])
    for key in ("enum", "const"):
        if key in schema:
            values = schema[key] if key == "enum" else [schema[key]]
            return ", ".join(f"`{value}`" for value in values)
    match schema["type"]:
        case "boolean":
            return "`true`, `false`"
        case "null":
            return "`null`"
        case "integer":
            return f"whole number{bounds(schema)}"
        case "number":
            return f"number{bounds(schema)}"
        case "array" if "prefixItems" in schema:
            parts = [allowed(resolved(part)) for part in schema["prefixItems"]]
            return f"list of {len(parts)}: {', then '.join(dict.fromkeys(parts))}"
        case "array":
            return f"list of: {allowed(resolved(schema['items']))}"
        case "object":
            values = schema.get("additionalProperties")
            return f"any keys, for each: {allowed(values)}" if values else "a section"
        case _:
            pattern = schema.get("pattern", "")
            return "64 hexadecimal digits" if "{64}" in pattern else "name" if pattern else "text"


def bounds(schema: dict[str, Any]) -> str:
    words = {
        "minimum": "{} or more",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
    }
    limits = {key: f"{schema[key]:,}".removesuffix(".0") for key in words if key in schema}
    if limits.keys() == {"minimum", "maximum"}:
        return f" from {limits['minimum']} to {limits['maximum']}"
    return "".join(f", {words[key].format(limit)}" for key, limit in limits.items())


def plain(value: object) -> str:
    """Return a value as it is written in params.yaml."""
    if isinstance(value, float):
        text = f"{value:.10f}".rstrip("0")
        return f"{text}0" if text.endswith(".") else text
    text = str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000))
    return text.removesuffix("...\n").strip()


LEFT_OUT = object()


def default(value: object) -> str:
    if value is LEFT_OUT:
        return "left out"
    text = plain(value)
    return f"`{text}`" if len(text) < 60 else "see `params.yaml`"


@cache
def expected() -> dict[tuple[str, str], tuple[str, str]]:
    """Return (section, key) -> (allowed values, default), from the settings and params.yaml."""
    found = walk("", SCHEMA, read_values())
    return {
        (section.replace("datasets.NAME", "datasets/NAME.yaml").replace("yaml.", "yaml:"), key): row
        for (section, key), row in found
    }


def walk(
    section: str, schema: dict[str, Any], values: dict[str, Any]
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for key, part in schema["properties"].items():
        place, inner = f"{section}.{key}".strip("."), resolved(part)
        value = values.get(key, LEFT_OUT)
        if place in CHOSEN:  # one entry represents all
            (entry,) = map(resolved, inner["patternProperties"].values())
            yield from walk(f"{place}.NAME", entry, value[CHOSEN[place]])
        elif key == "vectors" and not section:
            (kinds,) = inner["patternProperties"].values()
            own_file = yaml.safe_load(blocks(DOCS / "word-vectors.md")[1])["vectors"]
            entries = [*value.values(), *own_file.values()]
            yield from walk_kinds(f"{key}.NAME", kinds, entries)
        elif "oneOf" in inner:
            datasets = read_values()["datasets"].values()
            yield from walk_kinds(place, inner, [entry["source"] for entry in datasets])
        elif "properties" in inner:
            yield from walk(place, inner, value)
        else:
            yield (section, key), (allowed(inner), default(value))
            if key == "convolution":
                tutorial = parse_yaml(PARAMS, "params.yaml")["models"]["t5_cnn_lstm"]["network"]
                yield from walk(place, resolved(part["anyOf"][0]), tutorial[key])


def walk_kinds(
    place: str, schema: dict[str, Any], entries: list[dict[str, Any]]
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    for kind, name in schema["discriminator"]["mapping"].items():
        values = next(entry for entry in entries if entry["kind"] == kind)
        yield from walk(f"{place} {kind}", resolved({"$ref": name}), values)


@cache
def described() -> dict[tuple[str, str], tuple[str, str]]:
    """Return the same mapping, from docs/parameters.md."""
    found, section = {}, ""
    for line in read(DOCS / "parameters.md").splitlines():
        if line.startswith("#"):
            section = " ".join(re.findall(r"`([^`]+)`", line))
        elif line.startswith("| `"):
            key, meaning, values, usual = cells(line)
            assert meaning, key
            found[section, key.strip("`")] = values, usual
    return found


def test_every_parameter_is_described_and_no_other() -> None:
    missing = [
        f"`{key}` under `{section}`"
        for section, key in expected()
        if (section, key) not in described()
    ]
    assert not missing, f"docs/parameters.md has no row for {', '.join(missing)}"
    unknown = [
        f"`{key}` under `{section}`"
        for section, key in described()
        if (section, key) not in expected()
    ]
    assert not unknown, f"docs/parameters.md has a row that no setting has: {', '.join(unknown)}"
    assert len(expected()) > 80


def test_allowed_values_and_defaults_are_those_of_the_code() -> None:
    for (section, key), (values, usual) in expected().items():
        if row := described().get((section, key)):  # a missing row fails the test above
            assert row == (values, usual), (
                f"the row of `{key}` under `{section}` in docs/parameters.md must end with "
                f"| {values} | {usual} |"
            )


def test_cleaning_steps_are_described_in_the_order_in_which_they_run() -> None:
    section = "datasets/NAME.yaml:clean.steps"
    rows_of = [key for place, key in described() if place == section]
    assert rows_of == list(CleaningSteps.model_fields), (
        f"docs/parameters.md, `{section}`: needs a row for each switch of CleaningSteps, in order"
    )


def blocks(page: Path) -> list[str]:
    found = re.findall(r"^```yaml\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)
    assert found
    return found


def test_the_example_of_a_table_is_valid() -> None:
    (block,) = blocks(DOCS / "your-data.md")
    values = read_values()
    values["datasets"]["reviews"] = values["datasets"]["csv"] | yaml.safe_load(block)
    table = parse_params(values | {"dataset": "reviews"}, "the example")
    assert table.table == "reviews"


def with_model(block: str, **changes: object) -> Params:
    """Return params.yaml with the model of a page's example, the last entry of its ``models:``."""
    entry = block.removeprefix("models:\n")
    (name,) = re.findall(r"^  (\w+):", entry, re.MULTILINE)
    head, rest, tail = PARAMS.partition("\nvectors:")
    values = with_entries(parse_yaml(f"{head}\n{entry}{rest}{tail}", "the example"), ROOT)
    return parse_params(values | {"model": name} | changes, "the example")


def test_the_example_of_a_model_is_valid() -> None:
    (block,) = blocks(DOCS / "changing.md")
    assert with_model(block).chosen_model.network.hidden_sizes == (256,)


def test_the_examples_of_word_vectors_are_valid() -> None:
    model, entry = blocks(DOCS / "word-vectors.md")
    vectors = parse_yaml(PARAMS, "params.yaml")["vectors"] | yaml.safe_load(entry)["vectors"]
    params = with_model(model, vectors=vectors)
    assert params.chosen_model.vocab.outside_words == 50_000
    assert list(params.chosen_vectors) == ["glove_50", "minilm_256"]
    assert params.vectors["fasttext"].kind == "file"
