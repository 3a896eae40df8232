"""Spreadsheets: values as people read them, sheets by name, and formulas without values."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.sheets import Formula, Styled, write_ods, write_xlsx

from sentigate.errors import SourceError
from sentigate.tables import compression
from sentigate.tables.dialect import ON_COMMAND_LINE, Dialect
from sentigate.tables.reader import open_table, read_columns
from sentigate.tables.table_file import local_files

HEADER = ["text", "stars"]
ROWS = {"Reviews": [HEADER, ["A fine film", 5.0], ["", ""], ["2", 2.5]]}


def read(path: Path, *columns: str, **given: Any) -> list[list[str]]:
    table = read_columns(local_files(str(path)), columns, Dialect(**given))
    return [table.columns[name].tolist() for name in columns]


def refusal(path: Path, *columns: str, **given: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, *columns, **given)
    return str(caught.value).removeprefix(f"{path.parent}/")


@pytest.mark.parametrize(("write", "name"), [(write_xlsx, "t.xlsx"), (write_ods, "t.ods")])
def test_whole_numbers_have_no_point(tmp_path: Path, write: Any, name: str) -> None:
    write(tmp_path / name, ROWS)
    assert read(tmp_path / name, *HEADER) == [["A fine film", "2"], ["5", "2.5"]]


def test_rows_are_named_as_the_sheet_shows_them(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", ROWS)
    table = read_columns(local_files(str(tmp_path / "t.xlsx")), HEADER, Dialect())
    assert table.place(1, "stars") == f"{tmp_path}/t.xlsx: sheet row 4, column 'stars'"


def test_dates_of_a_column_have_one_form(tmp_path: Path) -> None:
    days = [Styled(45413), Styled(45414.5)]
    days[1].style = 2
    rows = [["text", "day", "at"], ["a", days[0], days[0]], ["b", days[0], days[1]]]
    write_xlsx(tmp_path / "t.xlsx", {"S": rows})
    assert read(tmp_path / "t.xlsx", "day", "at") == [
        ["2024-05-01", "2024-05-01"],
        ["2024-05-01 00:00:00", "2024-05-02 12:00:00"],
    ]


def test_truth_values_and_numbers_keep_their_types_in_prediction(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"S": [["text", "n", "ok"], ["a", 3.0, True]]})
    with open_table(local_files(str(tmp_path / "t.xlsx")), Dialect()) as table:
        (chunk,) = table.chunks
    assert chunk.records() == [{"text": "a", "n": 3, "ok": True}]
    assert type(chunk.records()[0]["n"]) is int


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"2024": [HEADER, ["old", 1]], "2025 new": [HEADER, ["x", 2]]})
    assert refusal(tmp_path / "t.xlsx", "text") == (
        "t.xlsx has 2 sheets. Write in datasets/NAME.yaml, under source one of these:"
        '\n  sheet: "2024"\n  sheet: "2025 new"'
    )
    assert read(tmp_path / "t.xlsx", "text", sheet="2025 new") == [["x"]]
    assert "has no sheet 'Old'. Write in" in refusal(tmp_path / "t.xlsx", "text", sheet="Old")
    files = local_files(str(tmp_path / "t.xlsx"))
    with (
        pytest.raises(SourceError, match="--sheet '2025 new'"),
        open_table(files, Dialect(), writing=ON_COMMAND_LINE),
    ):
        pass


def test_an_empty_sheet_does_not_count(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"Empty": [], "Full": [HEADER, ["x", 1]]})
    assert read(tmp_path / "t.xlsx", "text") == [["x"]]
    write_xlsx(tmp_path / "t.xlsx", {"Empty": []})
    assert refusal(tmp_path / "t.xlsx", "text") == "t.xlsx is empty"


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"S": [["a", 1], ["b", 2]]})
    assert read(tmp_path / "t.xlsx", "1", "2", no_header=True) == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("wanted", ["stars", "text"])
def test_a_formula_without_a_saved_value_is_named(tmp_path: Path, wanted: str) -> None:
    rows = [["text", "stars"], ["a", 1], ["b", Formula("B2+1")]]
    write_xlsx(tmp_path / "t.xlsx", {"My sheet": rows})
    if wanted == "text":
        assert read(tmp_path / "t.xlsx", wanted) == [["a", "b"]]
        return
    assert refusal(tmp_path / "t.xlsx", wanted) == (
        "t.xlsx: sheet 'My sheet', cell B3 has a formula without a saved value; open the file in a "
        "spreadsheet program and save it, which saves the values"
    )


def test_a_missing_column_and_a_damaged_file_are_named(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", ROWS)
    assert refusal(tmp_path / "t.xlsx", "n") == "t.xlsx has no column 'n'; it has 'text', 'stars'"
    (tmp_path / "t.xlsx").write_bytes((tmp_path / "t.xlsx").read_bytes()[:-30])
    assert "t.xlsx cannot be read as a spreadsheet: " in refusal(tmp_path / "t.xlsx", "n")
    with zipfile.ZipFile(tmp_path / "u.xlsx", "w") as archive:
        archive.writestr("a", "b")
    assert "u.xlsx cannot be read as a spreadsheet: " in refusal(tmp_path / "u.xlsx", "n")


def test_a_spreadsheet_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "FREE_BYTES", 1000)
    monkeypatch.setattr(compression, "MAX_RATIO", 1)
    write_xlsx(tmp_path / "t.xlsx", {"S": [["text"], ["a" * 20_000]]})
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        data = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in data.items():
            archive.writestr(name, content)
    assert "t.xlsx unpacks to more than 0 MiB" in refusal(tmp_path / "t.xlsx", "text")
