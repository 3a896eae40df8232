"""Delimited text: Arrow's fast way gives the values and messages of csv, whatever the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sentigate.errors import SourceError
from sentigate.tables import delimited, text
from sentigate.tables.delimited import open_delimited
from sentigate.tables.dialect import Dialect
from sentigate.tables.quotes import whole_rows
from sentigate.tables.reader import open_table, opened
from sentigate.tables.table_file import TableFile

PIECES = ["a", "b", '"', '"', '""', ",", ",", "\n", "\r", "\r\n", " ", ";", "é", "\ufeff", "\\",
          "a,b\n", '"x",', '"a\nb"', "NA", "'"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def outcome(path: Path, dialect: Dialect, wanted: list[str] | None) -> object:
    """Return all rows with their places, or the message."""
    found: list[object] = []
    try:
        with open_table([TableFile(path, path.name, path.name)], dialect, wanted) as table:
            for chunk in table.chunks:
                found += zip(
                    chunk.places, map(tuple, map(dict.items, chunk.records())), strict=True
                )
    except SourceError as error:
        return str(error)
    return found


SLOW_IS_ALLOWED = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100
)


@SLOW_IS_ALLOWED
@given(
    body=TEXTS,
    header=st.sampled_from(["a,b\n", "a\n", "\n\na,b,c\r\n", "\ufeffa,b\r", ""]),
    block=st.integers(1, 40),
    dialect=st.builds(Dialect, no_header=st.booleans(), plain_quotes=st.booleans()),
    everything=st.booleans(),
)
@example(body='1,2\n"x" y,2\n', header="a,b\n", block=40, dialect=Dialect(), everything=True)
@example(body='1,"2', header="a,b\n", block=40, dialect=Dialect(), everything=True)
@example(body="\n\n\n", header="a,b\n", block=2, dialect=Dialect(), everything=True)
@example(body="\ufeff,2\n", header="a,b\n", block=4, dialect=Dialect(), everything=True)
@example(body="1\n2,3\n", header="a,b\n", block=4, dialect=Dialect(), everything=False)
@example(body="1,2\r\n3\n", header="a,b\n", block=8, dialect=Dialect(), everything=True)
def test_arrow_and_csv_give_the_same(
    tmp_path: Path, body: str, header: str, block: int, dialect: Dialect, everything: bool
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes((header + body).encode())
    wanted = None if everything else ["1"] if dialect.no_header else ["a"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", block)
        found = outcome(path, dialect, wanted)
        patch.setattr(text, "BLOCK_BYTES", 1 << 20)
        assert outcome(path, dialect, wanted) == found
        patch.setattr(delimited, "_parsed", lambda *_: None)  # csv reads each piece
        assert outcome(path, dialect, wanted) == found
        # csv reads all at once, as a file of its own.
        patch.setattr(delimited, "whole_rows", lambda *_, last, quotes: (0, last))
        assert outcome(path, dialect, wanted) == found


@given(st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a"]), max_size=30))
def test_whole_rows_end_where_csv_ends_them(pieces: list[str]) -> None:
    data = "".join(pieces)
    size, regular = whole_rows(data.encode(), ord(","), last=False)
    if not regular:
        with pytest.raises(csv.Error):
            list(csv.reader(io.StringIO(data, newline=""), strict=True))
        return
    together = list(csv.reader(io.StringIO(data[:size], newline=""), strict=True))
    after = io.StringIO(data[size:] + "x", newline="")
    try:
        whole = list(csv.reader(io.StringIO(data + "x", newline=""), strict=True))
    except csv.Error:
        return
    assert together + list(csv.reader(after, strict=True)) == whole


@pytest.fixture
def message(tmp_path: Path) -> Callable[..., str]:
    """Return a function that reads a file and returns the message."""

    def message(data: str, wanted: list[str] | None = None, name: str = "t.csv", **given: object):
        (tmp_path / name).write_bytes(data.encode())
        found = outcome(tmp_path / name, Dialect(**given), wanted)
        assert isinstance(found, str), found
        return found

    return message


Message = Callable[..., str]


@pytest.mark.parametrize(
    ("name", "data", "separator"),
    [
        ("t.csv", "text;stars\nfine, really;5\n", '";"'),
        ("t.csv", "text\tstars\nfine\t5\n", r'"\t"'),
        ("t.tsv", "text,stars\nfine,5\n", '","'),
        ("t.csv", 'stars|"text"\n5|fine\n', '"|"'),
        ("t.txt", "text;stars\nfine;5\n", '";"'),
    ],
)
def test_another_separator_is_named(message: Message, name: str, data: str, separator: str) -> None:
    said = message(data, ["text", "stars"], name)
    assert said.startswith(f"{name} has no column ")
    assert said.endswith(f"Write in datasets/NAME.yaml, under source:\n  separator: {separator}")
    assert "no_header" not in said


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("fine,5\npoor,1\n", "'5' is a number"),
        (
            "good,I liked it very much\nbad,it was not so good\n",
            "'I liked it very much' has 5 words",
        ),
        ("good,2024-05-01\nbad,2024-05-02\n", "'2024-05-01' is a date"),
        ("good,x\nbad,y\ngood,z\ngood,u\n", "'good' is also a value of rows below"),
    ],
)
def test_a_first_row_of_data_is_named(message: Message, data: str, reason: str) -> None:
    said = message(data, ["text"])
    assert f"Its first row looks like data, because {reason}. If it has no header" in said
    assert "its columns are named '1', '2'" in said
    assert said.endswith("\n  no_header: true")


def test_both_are_named_for_lines_of_text_with_tabs(message: Message) -> None:
    said = message("A fine film\t1\nA poor one\t0\n", ["text", "label"], "t.txt")
    assert said.endswith('\n  separator: "\\t"\n  no_header: true')


def test_a_header_of_other_names_gets_no_advice(message: Message) -> None:
    assert message("review,label\nfine,pos\n", ["text"]) == (
        "t.csv has no column 'text'; it has 'review', 'label'"
    )


def test_columns_without_a_header_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("0|fine\n1|poor\n")
    dialect = Dialect(separator="|", no_header=True)
    assert outcome(tmp_path / "t.txt", dialect, ["2"]) == [
        (1, (("2", "fine"),)),
        (2, (("2", "poor"),)),
    ]


@pytest.mark.parametrize(
    "data",
    ['text\tn\n"fine\t1\npoor\t2\n', 'text\tn\n"fine" film\t1\n', 'text\tn\n"a\t1\nb"\n'],
    ids=["not closed", "goes on", "over lines"],
)
def test_a_row_damaged_by_quotes_names_plain_quotes(
    message: Message, tmp_path: Path, data: str
) -> None:
    said = message(data, name="t.tsv")
    assert said.endswith(
        "If a double quote is only a character in this file: Write in datasets/NAME.yaml, under "
        "source:\n  plain_quotes: true"
    )
    if not data.endswith('b"\n'):
        dialect = Dialect(plain_quotes=True)
        rows = outcome(tmp_path / "t.tsv", dialect, ["text"])
        assert rows[0][1][0][1].startswith('"fine')  # type: ignore[index]


def test_a_message_names_the_line_after_many_blocks(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 7)
    rows = 'é,"two\nlines"\r\n' * 50
    assert "row 51 (it ends at line 102) has 3 fields, the header has 2" in message(
        f"a,b\n{rows}1,2,3\n"
    )


def test_a_value_too_long_for_memory_is_refused(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "LONGEST_VALUE", 1000)
    monkeypatch.setattr(text, "BLOCK_BYTES", 100)
    said = message("a,b\n" + '"' + "1,2\n" * 1000)
    assert "row 1 (it ends at line" in said
    assert "a value has more than 1,000 characters" in said
    assert "plain_quotes: true" in said


@pytest.mark.parametrize("separator", ["", "ab", '"', "\n", "§"])
def test_a_wrong_separator_is_refused(message: Message, separator: str) -> None:
    assert "allowed: one ASCII character" in message("a,b\n", separator=separator)


@pytest.mark.parametrize("separator", ["\t", "tab", "\\t"])
def test_a_tab_has_several_names(tmp_path: Path, separator: str) -> None:
    (tmp_path / "t.csv").write_text("a\tb\n1\t2\n")
    assert outcome(tmp_path / "t.csv", Dialect(separator=separator), None) == [
        (1, (("a", "1"), ("b", "2")))
    ]


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,b\n1,2,3\n")
    with opened(TableFile(path, path.name, "t"), wanted=["a"]) as opening:
        (chunk,) = open_delimited(opening).chunks
        assert chunk.texts("a").to_pylist() == ["1"]
