"""Bands, folds and dates: what they mean, and the errors that name all other values at once."""

from __future__ import annotations

import pandas as pd
import pytest

from sentigate.errors import SourceError
from sentigate.settings.yaml_file import parse_yaml
from sentigate.sources.bands import as_bands
from sentigate.sources.dates import as_dates
from sentigate.sources.folds import as_folds
from sentigate.sources.unknown_values import MOST_LISTED

ENTRY = "datasets/reviews.yaml"


def place(index: int) -> str:
    return f"a.csv: row {index + 1}"


def column(*values: str) -> pd.Series:
    return pd.Series(values, index=range(5, 5 + len(values)), dtype="str")


# Bands


@pytest.mark.parametrize(
    ("number", "band"),
    [
        *(("3.99", "1"), ("4", "2"), ("4.0", "2"), ("6.999", "2"), ("7", "3"), ("1e3", "3")),
        *(("-5", "1"), (".5", "1"), ("5.", "2"), (" 7 ", "3"), ("", ""), ("  ", "")),
    ],
)
def test_the_band_of_a_number(number: str, band: str) -> None:
    found = as_bands(column(number, "4", number), [4, 7], place, ENTRY)
    assert found.tolist() == [band, "2", band]
    assert found.index.tolist() == [5, 6, 7]


def test_all_values_that_are_not_numbers_are_named() -> None:
    values = column("4", "five", "4,5", "five", "nan", "inf", "1_0", "", "8/10")
    with pytest.raises(SourceError) as caught:
        as_bands(values, [4, 7], place, ENTRY)
    message = str(caught.value)
    assert message.startswith("a.csv: row 2 is 'five'; allowed with source.bands: a number, with")
    assert (
        "Values that are not numbers: 'five' (2 rows), '4,5' (1 row), 'nan' (1 row), "
        "'inf' (1 row), '1_0' (1 row), '8/10' (1 row). Correct the source; or remove bands from "
        "datasets/reviews.yaml, and write each value of the column under labels"
    ) in message


# Folds


def test_without_a_mapping_the_names_are_the_folds() -> None:
    found = as_folds(column("train", "Test ", "VALIDATION"), None, place, ENTRY)
    assert found.tolist() == ["train", "test", "validation"]


def test_a_mapping_names_the_folds() -> None:
    folds = {"Training": "train", "1": "test", "x": None}
    found = as_folds(column("training", "1.0", "x", "1"), folds, place, ENTRY)
    assert found.tolist() == ["train", "test", "", "test"]
    with pytest.raises(SourceError, match=r"row 1 is .train.; allowed: Training, 1, x\. Folds"):
        as_folds(column("train"), folds, place, ENTRY)


def refused_folds(values: pd.Series, folds: dict[str, str | None] | None) -> tuple[str, str]:
    with pytest.raises(SourceError) as caught:
        as_folds(values, folds, place, ENTRY)
    said, line = str(caught.value).split("\n")
    assert line.startswith("  folds: ")  # a key of source:
    return said, line


def test_all_unknown_folds_are_named_with_the_line_to_write() -> None:
    values = column("train", "dev", "held-out", "extra", "dev", "", "dev-set")
    said, line = refused_folds(values, None)
    assert said.startswith("a.csv: row 2 is 'dev'; allowed: train, validation, test. Folds without")
    assert "'dev' (2 rows), 'held-out' (1 row), 'extra' (1 row), '' (1 row)" in said
    assert "Write this in datasets/reviews.yaml under source, with train, validation, test" in said
    written = parse_yaml(line, "the message")["folds"]
    assert written == {
        "train": "train", "dev": "validation", "held-out": "test", "extra": None, "": None,
        "dev-set": "validation",
    }  # fmt: skip
    assert as_folds(values, written, place, ENTRY).tolist() == [
        "train", "validation", "test", "", "validation", "", "validation",
    ]  # fmt: skip
    _, line = refused_folds(values, {"dev": "test"})
    assert parse_yaml(line, "the message")["folds"]["dev"] == "test"


def test_many_folds_get_no_line_to_write() -> None:
    with pytest.raises(SourceError) as caught:
        as_folds(column(*(f"text {n}" for n in range(1_000))), None, place, ENTRY)
    assert str(caught.value).endswith(f"'text {MOST_LISTED - 1}' (1 row) and 980 more")


# Dates


@pytest.mark.parametrize(
    ("value", "date_format", "date"),
    [
        ("2026-11-27", None, "2026-11-27"),
        (" 20261127 ", None, "2026-11-27"),
        ("2026-11-27 00:00:00", None, "2026-11-27T00:00:00"),
        ("2026-11-27T10:30", None, "2026-11-27T10:30:00"),
        ("2026-11-27T10:30:00.123456789", None, "2026-11-27T10:30:00.123456"),
        ("2026-11-27T10:30:00Z", None, "2026-11-27T10:30:00"),
        ("2026-11-27 00:30:00+02:00", None, "2026-11-26T22:30:00"),
        ("", None, ""),
        ("27.11.2026", "%d.%m.%Y", "2026-11-27"),
        ("11/27/26 4:05 PM", "%m/%d/%y %I:%M %p", "2026-11-27T16:05:00"),
        ("Mon Apr 06 22:19:45 PDT 2009", "%a %b %d %H:%M:%S PDT %Y", "2009-04-06T22:19:45"),
        ("2019", "%Y", "2019-01-01"),
        ("1764239400", "unix", "2025-11-27T10:30:00"),
        ("1764239400000", "unix_ms", "2025-11-27T10:30:00"),
        ("1764239400.5", "unix", "2025-11-27T10:30:00.500000"),
        (" ", "unix", ""),
    ],
)
def test_a_date_has_one_form(value: str, date_format: str | None, date: str) -> None:
    assert as_dates(column(value, value), date_format, place, ENTRY).tolist() == [date, date]


def refused_dates(*values: str, date_format: str | None = None) -> tuple[str, list[str]]:
    with pytest.raises(SourceError) as caught:
        as_dates(column(*values), date_format, place, ENTRY)
    said, *lines = str(caught.value).split("\n")
    return said, [parse_yaml(line, "the message")["date_format"] for line in lines]


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["27.11.2026", "1.2.2026", "", "1.2.2026"], ["%d.%m.%Y"]),
        (["11/27/2026"], ["%m/%d/%Y"]),
        (["01/02/2026", "03/04/2026"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["November 27, 2026"], ["%B %d, %Y"]),
        (["27/11/2026 10:30"], ["%d/%m/%Y %H:%M"]),
        (["2019", "2020"], ["%Y"]),
        (["1764239400"], ["unix"]),
        (["1764239400000", "964239400000"], ["unix_ms"]),
        (["Wed Aug 27 13:08:45 +0000 2008"], ["%a %b %d %H:%M:%S %z %Y"]),
        # No format fits all.
        (["27.11.2026", "11/27/2026"], []),
        (["2026-11-27", "27.11.2026"], []),
        (["yesterday"], []),
    ],
)
def test_all_values_that_are_no_dates_are_named_with_the_formats_that_fit(
    values: list[str], formats: list[str]
) -> None:
    said, lines = refused_dates(*values)
    assert lines == formats
    assert "allowed: a date of ISO 8601, such as 2026-11-27 or 2026-11-27T10:30:00, or nothing" in (
        said
    )
    if len(formats) == 1:
        assert said.endswith("Write this in datasets/reviews.yaml under source:")
    assert f"{values[-1]!r} (" in said
    for each in formats:
        as_dates(column(*values), each, place, ENTRY)


def test_the_error_about_dates_of_a_format_names_it() -> None:
    said, lines = refused_dates("27.11.2026", "2026-11-27", date_format="%d.%m.%Y")
    assert said.startswith("a.csv: row 2 is '2026-11-27'; allowed: a date of date_format '%d.%m")
    assert lines == []
