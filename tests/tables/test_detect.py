"""How a table is written is found out, and a guess is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sheets import write_xlsx

from sentigate.tables.detect import Detected, detect, sheets
from sentigate.tables.dialect import Dialect
from sentigate.tables.table_file import TableFile

ROWS = "".join(f"a fine film, number {n}|good\n" for n in range(30)).replace(", number", " number")
COMMAS = ROWS.replace("|", ",")


def detected(folder: Path, name: str, data: bytes, given: Dialect | None = None) -> Detected:
    path = folder / name
    path.write_bytes(data)
    return detect(TableFile(path, name, name), given or Dialect())


@pytest.mark.parametrize(
    ("name", "data", "dialect", "doubts"),
    [
        ("a.csv", f"text,label\n{COMMAS}".encode(), Dialect(), []),
        ("a.csv", f"text,label\n{COMMAS}".encode("utf-8-sig"), Dialect(), []),
        ("a.csv", f"text,label\n{COMMAS}".encode("utf-16"), Dialect(), []),
        ("a.csv", f"text|label\n{ROWS}".encode(), Dialect(separator="|"), []),
        ("a.txt", f"text|label\n{ROWS}".encode(), Dialect(separator="|"), []),
        ("a.tsv", f"text\tlabel\n{ROWS}".replace("|", "\t").encode(), Dialect(), []),
        ("a.csv", COMMAS.encode(), Dialect(no_header=True), ["no_header"]),
        ("a.csv", f'text,label\n{COMMAS}a 5" one,good\n"b" two,bad\n'.encode(),
         Dialect(plain_quotes=True), ["plain_quotes"]),
        ("a.jsonl", b'{"text": "x"}\n', Dialect(), []),
        ("a.txt", b"only a text\nin each line, or two\n", Dialect(), []),
    ],
)  # fmt: skip
def test_only_settings_that_are_needed_are_returned(
    tmp_path: Path, name: str, data: bytes, dialect: Dialect, doubts: list[str]
) -> None:
    found = detected(tmp_path, name, data)
    assert found.dialect == dialect
    assert list(found.doubts) == doubts


def test_an_encoding_that_the_file_does_not_say_is_a_guess(tmp_path: Path) -> None:
    data = f"text,label\n{COMMAS}un café très agréable,good\n".encode("cp1252")
    found = detected(tmp_path, "a.csv", data)
    assert found.dialect == Dialect(encoding="cp1252")
    assert len(found.encodings) > 1
    assert found.encodings[0].lines == ("un café très agréable,good",)


def test_the_encoding_is_that_of_the_whole_file(tmp_path: Path) -> None:
    data = f"text,label\n{COMMAS * 2000}un café,good\n".encode("cp1252")
    assert len(data) > 1 << 20
    assert detected(tmp_path, "a.csv", data).dialect.encoding == "cp1252"
    accents = data.decode("cp1252").encode()
    assert detected(tmp_path, "a.csv", accents).dialect == Dialect()


def test_given_settings_are_kept(tmp_path: Path) -> None:
    given = Dialect(encoding="latin-1", separator="|", no_header=True)
    found = detected(tmp_path, "a.csv", ROWS.encode(), given)
    assert found.dialect == given
    assert not found.encodings
    assert not found.doubts


def test_the_sheets_of_a_workbook_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write_xlsx(path, {"First": [["text"], ["x"]], "Notes": [["y"]]})
    assert sheets(TableFile(path, "a.xlsx", "a.xlsx")) == ["First", "Notes"]
    (tmp_path / "a.csv").write_text("text\n", "utf-8")
    assert sheets(TableFile(tmp_path / "a.csv", "a.csv", "a.csv")) == []
