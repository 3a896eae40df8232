"""The source of a user's table: its keys, and the combinations that are refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from support.project import ROOT

from sentigate.errors import ParamsError
from sentigate.settings.columns import columns_of
from sentigate.settings.entry_files import with_entries
from sentigate.settings.params import Params, parse_params
from sentigate.settings.table import TableSource
from sentigate.settings.yaml_file import parse_yaml, read_yaml

VALUES: dict[str, Any] = with_entries(read_yaml(ROOT / "params.yaml"), ROOT)


def params(source: str = "{}", **entry: Any) -> Params:
    """Return params.yaml with keys of the entry csv replaced; ``source`` is written in YAML."""
    values = copy.deepcopy(VALUES)
    csv = values["datasets"]["csv"]
    csv["source"] |= parse_yaml(source, "the test")
    for key, value in entry.items():
        csv[key] = csv[key] | value if key in ("clean", "split") else value
    return parse_params(values | {"dataset": "csv"}, "params.yaml")


def table(source: str, **entry: Any) -> TableSource:
    found = params(source, **entry).chosen_dataset.source
    assert isinstance(found, TableSource)
    return found


def refusal(source: str, **entry: Any) -> str:
    with pytest.raises(ParamsError) as caught:
        params(source, **entry)
    first, message, *lines = str(caught.value).split("\n")
    assert first == "datasets/ is not valid:"
    assert message.startswith("  datasets/csv.yaml:")
    return "\n".join([message, *lines])


def test_all_keys_together() -> None:
    found = table(
        """
        encoding: cp1252
        separator: ";"
        no_header: true
        plain_quotes: true
        text_column: [2, 3]
        context_column: [4, "5"]
        sentiment_column: 1
        id_column: 6
        fold_column: 7
        folds: {0: train, dev: validation, true: test, rest: null}
        date_column: 8
        date_format: "%d.%m.%Y"
        """,
        split={"rule": "published", "test_size": None, "validation_size": None},
    )
    assert found.texts == ("2", "3")
    assert found.contexts == ("4", "5")
    assert found.folds == {"0": "train", "dev": "validation", "true": "test", "rest": None}
    assert found.columns == ("2", "3", "4", "5", "1", "6", "7", "8")
    assert columns_of(found).texts == ("2", "3")


def test_a_missing_key_is_off() -> None:
    found = table("{}")
    assert found.texts == ("text",)
    assert (found.contexts, found.columns) == ((), ("text", "sentiment"))
    assert not any(
        getattr(found, name)
        for name in TableSource.model_fields
        if name not in ("kind", "path", "text_column", "sentiment_column")
    )


@pytest.mark.parametrize(
    ("source", "entry", "says"),
    [
        ("kind: csv", {}, "source.kind is 'csv', the name of older versions for a table. Write"),
        ("encoding: cp125", {}, "source: encoding is 'cp125'; allowed: a text encoding that Pyt"),
        ("encoding: base64", {}, "source: encoding is 'base64'; allowed: a text encoding that"),
        ("separator: '::'", {}, "source: separator is '::'; allowed: one character, such as ';'"),
        ("separator: '\"'", {}, "source: separator is '\"'; allowed: one character"),
        ("no_header: true", {}, "named by their numbers, 1, 2 and so on; allowed: such names ins"),
        ("{no_header: true, text_column: 0}", {}, "instead of '0', 'sentiment'"),
        ("bands: [4, 4]", {}, "source: bands is [4.0, 4.0]; allowed: rising numbers"),
        ("bands: [7, 4]", {}, "source: bands is [7.0, 4.0]; allowed: rising numbers"),
        ("bands: []", {}, "source.bands: Tuple should have at least 1 item"),
        ("bands: [.inf]", {}, "source.bands.0: Input should be a finite number"),
        ("text_column: []", {}, "at least 1 item"),
        ("text_column: [a, b, a]", {}, "text_column is ['a', 'b', 'a']; allowed: each column onc"),
        (
            "text_column: [title, sentiment]", {},
            "text_column and sentiment_column are both 'sentiment', so that a model would read",
        ),
        ("context_column: sentiment", {}, "context_column and sentiment_column are both 'sent"),
        ("folds: {a: train, b: test}", {}, "without fold_column; allowed: no folds, or a fold_c"),
        ("{fold_column: f, folds: {a: dev}}", {}, "source.folds.a: Input should be 'train', 'va"),
        ("{fold_column: f, folds: {null: test}}", {}, "folds has the key null"),
        ('{fold_column: f, folds: {1: test, "1": train}}', {}, "folds has '1' twice, as a number"),
        (
            "{fold_column: f, folds: {a: train, b: null}}",
            {"split": {"rule": "published", "test_size": None}},
            "with split.rule published; allowed: at least one name for train, and one for test or",
        ),
        ("fold_column: f", {}, "source.fold_column is 'f' with split.rule grouped, which does"),
        ("date_format: '%Y'", {}, "source: date_format is '%Y' without date_column; allowed: no"),
        ("{date_column: d, date_format: dd.mm.yy}", {}, "date_format is 'dd.mm.yy'; allowed: a"),
        ("{date_column: d, date_format: '%d.%q.%Y'}", {}, "date_format is '%d.%q.%Y'; allowed"),
        (
            "{}", {"split": {"rule": "by_time", "stratify": False}},
            "split.rule is by_time without source.date_column; allowed: random, grouped, or a tab",
        ),
        (
            "date_column: d", {"split": {"rule": "by_time"}},
            "split: stratify is true with rule by_time, which takes the newest rows whatever thei",
        ),
        (
            "{}", {"split": {"validation_size": None}},
            "split: validation_size is None with rule grouped; allowed: a share, such as 0.1, or",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(
    source: str, entry: dict[str, Any], says: str
) -> None:
    assert says in refusal(source, **entry)


def test_bands_without_labels_get_the_line_to_write() -> None:
    bands = "{sentiment_column: stars, bands: [4, 7]}"
    said, line = refusal(bands).split("\n")
    assert "labels has 'positive', 'negative', 'neutral' with source.bands [4.0, 7.0]" in said
    assert parse_yaml(line, "the message") == {"labels": {"1": None, "2": None, "3": None}}
    labels = {1: "negative", "2": None, 3: "positive", "": None}
    assert table(bands, labels=labels).bands == (4, 7)
    _, line = refusal(bands, labels={1: "negative", 3: "positive", "": None}).split("\n")
    written = {"1": "negative", "2": None, "3": "positive", "": None}
    assert parse_yaml(line, "the message") == {"labels": written}


@pytest.mark.parametrize("date_format", ["unix", "unix_ms", "%Y", "%a %b %d %H:%M:%S PDT %Y"])
def test_formats_of_dates(date_format: str) -> None:
    source = f'{{date_column: d, date_format: "{date_format}"}}'
    found = params(source, split={"rule": "by_time", "stratify": False})
    assert found.chosen_dataset.split.rule == "by_time"


def test_the_parameters_of_a_run_have_the_folds_as_one_text() -> None:
    """A fold may have any name, and MLflow allows few characters in a parameter's name."""
    found = params(
        "{fold_column: f, folds: {a/b: train, 'ä?': test}}",
        split={"rule": "published", "test_size": None},
    )
    assert found.chosen()["dataset"]["source"]["folds"] == '{"a/b": "train", "ä?": "test"}'
