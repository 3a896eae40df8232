"""Bad input to the real stages: one clear message, exit code 1, and no output."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.commands import run_in, without_signs
from support.params import set_value, tiny_values, write_values
from support.project import copy_project

from pipeline.clean import clean
from pipeline.ingest import ingest
from pipeline.stage import run
from sentigate import artifacts

Project = Callable[..., Path]
HEADER = b"id,text,sentiment,source,document\n"
RAW = artifacts.RAW_TEXTS.path


def table(rows: int = 200, sentiment: str = "") -> bytes:
    lines = [
        f"row-{n},text number {n},{sentiment or ('positive', 'negative')[n % 2]},made,row-{n}\n"
        for n in range(rows)
    ]
    return HEADER + "".join(lines).encode()


def with_row(row: bytes) -> bytes:
    return table() + row + b"\n"


def refusal(name: str, function: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message with which a stage exits, exactly as Python prints it to stderr."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        run(name, function)
    message = caught.value.code
    assert isinstance(message, str)  # Python prints it and exits with 1
    assert message.startswith(f"sentigate {name}: ")
    assert message.count("sentigate ") == 1
    assert "Traceback" not in message
    assert len(message) < 1000
    assert without_signs(capsys.readouterr().err) == ""  # nothing else is printed
    assert not list(Path(".stage").glob("*"))
    return message


BAD_TABLES: list[tuple[str, bytes, list[str]]] = [
    ("empty file", b"", ["data/own/bad.csv is empty"]),
    ("white space alone", b" \n\n\t\n", ["data/own/bad.csv is empty"]),
    ("header alone", HEADER, ["data/own/bad.csv has columns but no rows"]),
    (
        "missing column",
        b"id,text,source,document\n1,fine,made,1\n",
        ["data/own/bad.csv has no column 'sentiment'", "it has 'id', 'text', 'source', 'document'"],
    ),
    (
        "binary",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)),
        ["data/own/bad.csv: line", "NUL byte", "binary or damaged"],
    ),
    ("gzip as csv", gzip.compress(table()), ["data/own/bad.csv: line"]),
    ("NUL byte", with_row(b"x,a\0b,positive,made,x"), ["line 202 has a NUL byte"]),
    ("not UTF-8", with_row("x,déjà vu,positive,made,x".encode("latin-1")), ["line 202 is not UTF"]),
    (
        "unknown label",
        with_row(b"x,meh,mixed,made,x"),
        ["row 201, column 'sentiment' is 'mixed'", "allowed", "positive, negative, neutral"],
    ),
    ("no label", with_row(b"x,meh,,made,x"), ["row 201, column 'sentiment' is empty"]),
    (
        "10 MB in one line",
        with_row(b"x," + b"long " * 2_000_000 + b",positive,made,x"),
        ["row 201", "'x'", "a text of 10,000,000 characters", "allowed: 100,000"],
    ),
    ("duplicate id", with_row(b"row-7,meh,positive,made,x"), ["'row-7'", "row 8", "unique"]),
    ("too few fields", with_row(b"x,meh"), ["row 201", "has 2 fields, the header has 5"]),
    ("quote not closed", with_row(b'x,"meh,positive,made,x'), ["row 201", "double quote"]),
    (
        "too few rows",
        table(99),
        [
            "gate failed",
            "the table has at least the expected number of rows",
            "found 99; allowed: min_value 100",
        ],
    ),
]


@pytest.mark.parametrize(
    ("data", "fragments"),
    [pytest.param(data, parts, id=name.replace(" ", "_")) for name, data, parts in BAD_TABLES],
)
@pytest.mark.parametrize("before", [b"what was there before", None], ids=["kept", "absent"])
def test_a_bad_table_is_refused(
    small_project: Project,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
    fragments: list[str],
    before: bytes | None,
) -> None:
    small_project(datasets__csv__source__path="data/own/bad.csv")
    Path("data/own/bad.csv").write_bytes(data)
    if before:
        RAW.parent.mkdir(parents=True)
        RAW.write_bytes(before)
    message = refusal("ingest", ingest, capsys)
    for fragment in fragments:
        assert fragment in message
    if "gate failed" not in message:
        _, *lines = message.splitlines()  # lines to write in the data set's file may follow
        assert all(re.match(r"(#|[a-z_]+: )", line.strip()) for line in lines)
    assert (RAW.read_bytes() if RAW.exists() else None) == before
    assert not artifacts.GATES.exists()


def test_the_tables_without_their_mistakes_are_accepted(
    small_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project(datasets__csv__source__path="data/own/bad.csv")
    Path("data/own/bad.csv").write_bytes(with_row(b"x,fine,positive,made,x"))
    run("ingest", ingest)
    assert "16 expectations met on 201 rows" in capsys.readouterr().out
    assert RAW.exists()


@pytest.mark.parametrize(
    ("key", "value", "fragments"),
    [
        ("gates.colour", 1, ["gates: unknown key 'colour'; allowed: max_text_characters"]),
        ("models.tiny.training.batch_size", -64,
         ["models.tiny.training.batch_size: ", "greater than or equal to 1", "(given: -64)"]),
        ("dataset", "amazon", ["dataset is 'amazon'; allowed: csv, imdb, imdb_8"]),
        ("datasets.csv.source.sha256", "0" * 64, ["data/own/csv/small.csv", "0" * 64, "sha256"]),
        ("datasets.csv.source.path", "data/own/none.csv", ["data/own/none.csv does not exist"]),
        ("datasets.csv.source.path", "data/own", ["data/own is a folder"]),
        ("datasets.csv.source.path", "data/own/README", ["data/own/README does not exist"]),
        ("datasets.csv.source.path", "ftp://example.org/a.csv", ["only http and https"]),
        ("datasets.csv.source.text_column", "review", ["has no column 'review'"]),
        ("datasets.csv.labels", {"positive": "positive", "negative": "negative"},
         ["'neutral'", "allowed (the data set's labels): positive, negative"]),
        ("gates.max_text_characters", 20, ["characters; allowed: 20 (gates.max_text_characters)"]),
    ],
)  # fmt: skip
def test_bad_params_are_refused(
    small_project: Project,
    capsys: pytest.CaptureFixture[str],
    key: str,
    value: object,
    fragments: list[str],
) -> None:
    small_project(**{key.replace(".", "__"): value})
    message = refusal("ingest", ingest, capsys)
    for fragment in fragments:
        assert fragment in message
    assert not Path("data/raw").exists()


def test_a_wrong_hash_is_reported_with_the_right_one(
    small_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project(datasets__csv__source__sha256="0" * 64)
    found = hashlib.sha256(Path("data/own/csv/small.csv").read_bytes()).hexdigest()
    assert found in refusal("ingest", ingest, capsys)
    # With the reported hash the file is accepted.
    small_project(datasets__csv__source__sha256=found)
    run("ingest", ingest)
    assert RAW.exists()


def test_a_table_with_one_class_fails_the_gate_of_clean(
    small_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project(datasets__csv__source__path="data/own/one.csv")
    Path("data/own/one.csv").write_bytes(table(200, "positive"))
    run("ingest", ingest)
    message = refusal("clean", clean, capsys)
    assert "every class has rows (datasets/X.yaml:classes)" in message
    assert "allowed: value_set ['negative', 'positive']" in message
    assert not Path("data/clean").exists()
    assert (artifacts.FAILED / "clean.html").exists()


def test_a_table_without_rows_after_cleaning_is_refused(
    small_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project(datasets__csv__source__path="data/own/neutral.csv")
    Path("data/own/neutral.csv").write_bytes(table(200, "neutral"))
    run("ingest", ingest)
    message = refusal("clean", clean, capsys)
    assert "at least two rows are kept" in message
    assert not Path("data/clean").exists()


def test_a_stage_without_its_input_names_the_missing_file(
    small_project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    small_project()
    message = refusal("clean", clean, capsys)
    assert "data/raw/texts.parquet" in message
    assert message.endswith("does not exist; `dvc repro` writes missing files")


# Stages as processes, as DVC starts them


@pytest.mark.parametrize(
    ("stage", "key", "value", "data", "lines"),
    [
        ("ingest", "datasets.csv.source.path", "data/own/bad.csv", b"",
         ["sentigate ingest: data/own/bad.csv is empty"]),
        ("ingest", "models.tiny.training.batch_size", -1, b"",
         ["sentigate ingest: params.yaml is not valid:",
          "  models.tiny.training.batch_size: Input should be greater than or equal to 1 "
          "(given: -1)"]),
        ("clean", "seed", 42, b"",
         ["sentigate clean: data/raw/texts.parquet does not exist; "
          "`dvc repro` writes missing files"]),
    ],
)  # fmt: skip
def test_a_process_exits_with_one_message(
    tmp_path: Path, stage: str, key: str, value: object, data: bytes, lines: list[str]
) -> None:
    copy_project(tmp_path)
    values = tiny_values()
    set_value(values, key, value)
    write_values(values, tmp_path)
    (tmp_path / "data/own/bad.csv").write_bytes(data)
    done: subprocess.CompletedProcess[str] = run_in(
        tmp_path, sys.executable, "-m", f"pipeline.{stage}"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    printed = without_signs(done.stderr).splitlines()
    assert len(printed) == len(lines)
    for line, start in zip(printed, lines, strict=True):
        assert line.startswith(start)
    assert not (tmp_path / artifacts.GATES / f"{stage}.json").exists()
