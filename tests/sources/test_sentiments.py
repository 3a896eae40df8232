"""Sentiments written otherwise than the label, and the message about those that are no label."""

import pandas as pd
import pytest

from sentigate.errors import SourceError
from sentigate.settings.yaml_file import parse_yaml
from sentigate.sources.sentiments import as_labels, label_of
from sentigate.sources.unknown_values import MOST_LISTED

ENTRY = "datasets/reviews.yaml"
STARS = ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("sentiment", "labels", "label"),
    [
        ("good", ["good", "bad"], "good"),
        ("Good", ["good", "bad"], "good"),
        ("GOOD ", ["good", "bad"], "good"),
        ("\u00a0good\t", ["good", "bad"], "good"),
        ("good", [" Good", "bad"], " Good"),
        ("cafe\u0301", ["caf\u00e9", "bad"], "caf\u00e9"),
        ("True", ["true", "false"], "true"),  # CSV against Parquet
        ("false", ["TRUE", "FALSE"], "FALSE"),
        ("Yes", ["yes", "no"], "yes"),
        ("1.0", STARS, "1"),
        ("4.", STARS, "4"),
        ("01", STARS, "1"),
        ("+5", STARS, "5"),
        ("4", ["1.0", "4.0"], "4.0"),
        ("10", ["1", "10"], "10"),
        ("-1.50", ["-1.5", "1.5"], "-1.5"),
        ("-0.0", ["-1", "0"], "0"),
        (".5", ["0.5", "5"], "0.5"),
        ("  ", ["", "good"], ""),
        # A label of exactly this text comes first.
        ("1.0", ["1", "1.0"], "1.0"),
        ("good", ["Good", "good", "GOOD"], "good"),
        # Doubt: two labels could be it.
        ("GOOD", ["Good", "good"], None),
        ("1.00", ["1", "1.0"], None),
        # Another word is another sentiment, and so is another number.
        ("goods", ["good", "bad"], None),
        ("yes", ["true", "false"], None),
        ("1", ["true", "false"], None),
        ("true", ["1", "0"], None),
        ("1.5", STARS, None),
        ("6", STARS, None),
        ("10", ["1"], None),
        ("100", ["1", "10"], None),
        ("", ["0", "1"], None),
        (".", ["0", "1"], None),
        ("1 star", STARS, None),
        ("123456789012345678901234567891", ["123456789012345678901234567890"], None),
        ("nan", ["NaN ", "1"], "NaN "),
    ],
)
def test_the_label_of_a_sentiment(sentiment: str, labels: list[str], label: str | None) -> None:
    assert label_of(sentiment, labels) == label


def place(index: int) -> str:
    return f"row {index + 1}"


def test_each_row_gets_its_label() -> None:
    sentiments = pd.Series(["1.0", "2", "true", "1", " 2"], index=range(4, 9), dtype="str")
    read = as_labels(sentiments, {"1": "bad", "2": "good", "TRUE": None}, place, ENTRY)
    assert read.tolist() == ["1", "2", "TRUE", "1", "2"]
    assert read.index.equals(sentiments.index)
    assert read.dtype == "str"
    assert as_labels(sentiments.iloc[:0], {"1": "bad"}, place, ENTRY).dtype == "str"


def refusal(sentiments: list[str], labels: dict[str, str | None]) -> str:
    with pytest.raises(SourceError) as caught:
        as_labels(pd.Series(sentiments, dtype="str"), labels, place, ENTRY)
    return str(caught.value)


def test_all_unknown_sentiments_are_named_with_their_rows_and_the_line_to_write() -> None:
    labels: dict[str, str | None] = {"1": "bad", "5": "very good", "?": None}
    message = refusal(["5.0", "4", "", "4", "true", "4"], labels)
    said, line = message.split("\n")
    assert "write this in datasets/reviews.yaml" in said
    assert said.startswith("row 2 is '4'; allowed (the data set's labels): 1, 5, ?. ")
    assert "Sentiments without a label: '4' (3 rows), '' (1 row), 'true' (1 row). " in said
    assert parse_yaml(line, "params.yaml") == {
        "labels": labels | {"4": None, "": None, "true": None}
    }


def test_the_spellings_of_an_unknown_sentiment_share_a_key() -> None:
    labels: dict[str, str | None] = {"no": "bad", "Good": "a", "good": "b"}
    sentiments = ["no", "YES", "yes ", "yes ", "GOOD", "GOOd", "2.0", "2"]
    _, line = refusal(sentiments, labels).split("\n")
    written = parse_yaml(line, "params.yaml")["labels"]
    keys = {"yes": None, "GOOD": None, "GOOd": None, "2.0": None}
    assert written == labels | keys
    assert as_labels(pd.Series(sentiments, dtype="str"), written, place, ENTRY).notna().all()


@pytest.mark.parametrize(
    ("sentiments", "names", "labels"),
    [
        (["10", "2", "1.0", "2"], ["1.0", "2", "10"], {"1.0": "1.0", "2": "2", "10": "10"}),
        (["No", "yes", "no ", "no "], ["no", "yes"], {"no": "no", "yes": "yes"}),
        (["true", "", "false"], ["true", "false"], {"true": "true", "": None, "false": "false"}),
    ],
)
def test_a_file_without_any_label_gets_the_lines_that_make_each_sentiment_a_class(
    sentiments: list[str], names: list[str], labels: dict[str, str | None]
) -> None:
    said, *lines = refusal(sentiments, {"positive": "good", "negative": "bad"}).split("\n")
    assert "No row has one of these labels. To make each sentiment a class, write" in said
    written = parse_yaml("\n".join(lines), "the message")
    assert written == {"classes": {"names": names}, "labels": labels}
    assert as_labels(pd.Series(sentiments, dtype="str"), labels, place, ENTRY).notna().all()


def test_a_file_of_one_unknown_sentiment_gets_the_line_of_labels_alone() -> None:
    message = refusal(["good", "good", ""], {"positive": "good", "negative": "bad"})
    assert "No row has" not in message
    assert message.endswith('labels: {positive: good, negative: bad, good: null, "": null}')


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\x92", "\u2028", "\uffff", "\ufeff", "\t"])
def test_the_line_to_write_keeps_characters_that_yaml_refuses_or_folds(character: str) -> None:
    """The third is an apostrophe of Windows that was read as Latin-1."""
    unknown = f"don{character}t"
    _, line = refusal([unknown], {"good": "a", "bad": "b"}).split("\n")
    assert parse_yaml(line, "params.yaml")["labels"][unknown] is None


def test_a_column_of_many_unknown_sentiments_gets_a_short_message() -> None:
    message = refusal([f"text {number}" for number in range(5_000)], {"good": "a", "bad": "b"})
    assert message.endswith(f"'text {MOST_LISTED - 1}' (1 row) and 4,980 more")
    assert len(message) < 1_000
