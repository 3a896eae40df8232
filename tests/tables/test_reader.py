"""Files of a table: JSON arrays, archives, patterns and folders."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentigate.errors import SourceError
from sentigate.sources.own_file import find_table
from sentigate.tables import chunk, json_records
from sentigate.tables.dialect import Dialect
from sentigate.tables.reader import Made, WholeTable, open_table, read_columns
from sentigate.tables.table_file import local_files


def table_of(path: Path, *columns: str, **given: Any) -> WholeTable:
    return read_columns(local_files(str(path)), columns or ["text"], Dialect(**given))


def texts(path: Path, **given: Any) -> list[str]:
    return table_of(path, **given).columns["text"].tolist()


def refusal(path: Path, *columns: str) -> str:
    with pytest.raises(SourceError) as caught:
        table_of(path, *columns)
    return str(caught.value).removeprefix(f"{path.parent}/")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=4), max_size=5),
    st.sampled_from([None, 1, 4]),
    st.integers(1, 30),
    st.booleans(),
)
def test_an_array_is_read_as_json_reads_it(
    tmp_path: Path, rows: list[dict[str, Any]], indent: int | None, block: int, escaped: bool
) -> None:
    """Wherever a block ends, and with little in memory at one time."""
    path = tmp_path / "t.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=escaped), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "BLOCK_CHARACTERS", block)
        patch.setattr(chunk, "CHUNK", 2)
        with open_table(local_files(str(path)), Dialect()) as table:
            assert [row for part in table.chunks for row in part.records()] == rows
            assert table.names == list(dict.fromkeys(name for row in rows for name in row))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('[{"text": "a"} {"text": "b"}]', "row 2 is not JSON: expected a comma or ] before it"),
        ('[{"text": "a"}, {"text": b}]', "row 2 is not JSON: Expecting value at its character 10"),
        ('[{"text": "a"}', "row 2 is not JSON: expected a comma or ] before it"),
        ('[{"text": "a"}, {"text": "b', "row 2 is not JSON: Unterminated string"),
        ('[{"text": "a"}, 5]', "row 2 is 5; each element must be a JSON object, as in"),
        ('[{"text": "a"}] 5', "goes on after its array: '5'"),
        ('[{"text": "\\ud800"}]', "row 1 has half a surrogate pair"),
        ('[{"review": "a"}]', "has no column 'text'; it has 'review'"),
        ("[]", "has no column 'text'; it has none"),
        (" \n", "is empty"),
        ('{"data": [\n{"text": "a"}]}', "allowed in .json: an object a line, or an array of"),
    ],
)
def test_a_wrong_array_is_refused(tmp_path: Path, data: str, said: str) -> None:
    (tmp_path / "t.json").write_text(data)
    assert said in refusal(tmp_path / "t.json")


def test_an_error_far_from_the_end_does_not_read_the_rest(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"text": b},' + '{"text": "a"},' * 500_000)
    with pytest.MonkeyPatch.context() as patch:
        read = []
        more = json_records._Window._more
        patch.setattr(
            json_records._Window, "_more", lambda self, size: (read.append(size), more(self, size))
        )
        assert "row 1 is not JSON" in refusal(tmp_path / "t.json")
    assert sum(read) <= 2 * json_records.BLOCK_CHARACTERS


def test_an_object_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "LONGEST_OBJECT", 1000)
    monkeypatch.setattr(json_records, "BLOCK_CHARACTERS", 100)
    (tmp_path / "t.json").write_text('[{"text": "' + "a" * 5000)
    assert "row 1 has more than 1,000 characters; is a quote or" in refusal(tmp_path / "t.json")


def test_json_may_have_an_object_a_line(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"text": "a"}\n{"text": "b"}\n')
    assert texts(tmp_path / "t.json") == ["a", "b"]


def archive(path: Path, members: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


CSV, LINES = "text\nfine\n", '{"text": "fine"}\n'


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("reviews.zip", {"reviews.csv": CSV}),
        ("a b.zip", {"deep/folder/t.TSV": CSV}),
        ("t.zip", {"t.jsonl": LINES, "__MACOSX/._t.jsonl": "x", ".DS_Store": "x"}),
        ("t.zip", {"t.csv": CSV, "README.md": "# Hello", "license.txt": "MIT"}),
        ("t.zip", {"t.txt": "fine\n"}),
        ("t.jsonl.zip", {"data": LINES}),
        ("t.csv.zip", {"data.txt": CSV}),
        ("t.csv.zip", {"really.jsonl": LINES}),
    ],
)
def test_the_only_table_of_an_archive_is_read(
    tmp_path: Path, name: str, members: dict[str, str]
) -> None:
    assert texts(archive(tmp_path / name, members)) == ["fine"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"a.csv": CSV, "b.csv": CSV}, "it has 2 tables ('a.csv', 'b.csv'); allowed: exactly one"),
        ({}, "it has 0 tables; allowed: exactly one"),
        ({"a.doc": "x"}, "t.zip has an unknown extension; allowed: .csv, .tsv"),
    ],
)
def test_an_archive_without_one_table_is_refused(
    tmp_path: Path, members: dict[str, str], said: str
) -> None:
    assert said in refusal(archive(tmp_path / "t.zip", members))


def test_files_of_a_pattern_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "2024.csv").write_text("text,n\nold,1\n")
    (tmp_path / "2025.csv").write_text("n,text\n2,new\n3,newer\n")
    (tmp_path / "corrections.csv").write_text("id,action,label,reason\n")
    (tmp_path / ".hidden.csv").write_text("x\n")
    pattern = str(tmp_path / "*.csv")
    files = find_table(pattern, None, tmp_path)
    assert [file.name for file in files] == ["2024.csv", "2025.csv"]
    table = read_columns(files, ["text", "n"], Dialect())
    assert table.columns["text"].tolist() == ["old", "new", "newer"]
    assert table.place(2, "n") == f"{tmp_path}/2025.csv: row 2, column 'n'"
    assert table.row(0) == f"row 1 of {tmp_path}/2024.csv"
    with pytest.raises(SourceError, match=r"is 2 files; sha256 is allowed for one file only"):
        find_table(pattern, "0" * 64, tmp_path)
    with pytest.raises(SourceError, match=r"\*\.tsv fits no file"):
        find_table(str(tmp_path / "*.tsv"), None, tmp_path)


def test_files_of_one_table_must_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,n\nold,1\n")
    for header, said in (
        ("text", "b.csv lacks 'n', unlike"),
        ("text,n,m", "has more columns: 'm'"),
    ):
        (tmp_path / "b.csv").write_text(f"{header}\n")
        assert said in refusal(tmp_path / "*.csv", "text")


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "out.parquet"
    folder.mkdir()
    for part in ("a", "b"):
        pq.write_table(pa.table({"text": [part]}), folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").touch()
    (folder / "_metadata.parquet").write_text("no table")
    assert texts(folder) == ["a", "b"]


def test_positions_reach_the_size_of_all_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("text\n" + "fine\n" * 100)
    with open_table(local_files(str(tmp_path / "*.csv")), Dialect()) as table:
        positions = [table.position() for _ in table.chunks]
        assert positions == sorted(positions)
        assert positions[-1] == table.size == 2 * 505


def test_a_separator_opens_files_of_any_extension(tmp_path: Path) -> None:
    (tmp_path / "t.data").write_text("text|n\nfine|1\n")
    assert texts(tmp_path / "t.data", separator="|") == ["fine"]
    assert "unknown extension" in refusal(tmp_path / "t.data")


def test_a_column_is_made_of_others_that_are_not_kept(tmp_path: Path) -> None:
    rows = "".join(f"a {n},b {n},{n}\n" for n in range(20_000))
    (tmp_path / "t.csv").write_text(f"x,y,n\n{rows}", encoding="utf-8")
    files = local_files(str(tmp_path / "t.csv"))
    made = {"n": Made(("y", "x"), "{} {}".format)}
    table = read_columns(files, ["n"], Dialect(), made=made)
    assert table.columns["n"].tolist() == [str(n) for n in range(20_000)]
    assert table.made["n"].tolist() == [f"b {n} a {n}" for n in range(20_000)]
    assert list(table.columns) == ["n"]
