"""Prediction of files: answers in order, the same in chunks as at once, for every format."""

import csv
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.packers import PACKERS
from support.sheets import write_xlsx

from sentigate.errors import DataError, SentigateError, SourceError
from sentigate.model.columns import PLAIN, Columns
from sentigate.model.labels import BINARY, Classes
from sentigate.model.predictor import Answers
from sentigate.serving.bulk_prediction import predict_file
from sentigate.tables import chunk as chunks
from sentigate.tables.dialect import Dialect

HARD = ["NA", "null", "", " lead and trail ", "1.50", "a,b", 'say "no"', "tab\there", "two\nlines",
        "cr\rhere", "crlf\r\nhere", "😀", "\u2028 apart", "true"]  # fmt: skip
COLUMNS = ["id", "text", "label", "confidence", "note"]


class Model:
    """Stand in for a model by a function of the text; the registry's tests have a real one."""

    columns = PLAIN

    def __init__(self, classes: Classes = BINARY) -> None:
        self.classes = classes

    def judge(self, texts: Sequence[str]) -> Answers:
        sums = np.array([sum(text.encode()) for text in texts])
        weights = 1.0 + sums[:, None] * (1 + np.arange(self.classes.count)) ** 2 % 997
        probabilities = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        labels = probabilities.argmax(axis=1)
        names = [self.classes.names[label] for label in labels]
        notes = self.notes(texts)
        return Answers(names, probabilities.max(axis=1), probabilities, notes)

    def notes(self, texts: Sequence[str]) -> list[str]:
        return [""] * len(texts)


MODEL = Model()


def confidences(texts: Sequence[str]) -> list[float]:
    found: list[float] = MODEL.judge(texts).confidences.tolist()
    return found


def write(path: Path, texts: Sequence[str]) -> Path:
    rows = [{"id": f"0{n}", "text": text} for n, text in enumerate(texts)]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "text"], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix in (".jsonl", ".ndjson"):
        return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def check(path: Path, texts: Sequence[str]) -> None:
    rows = read(path)
    expected = MODEL.judge(texts)
    assert [row["text"] for row in rows] == list(texts)
    assert [row["id"] for row in rows] == [f"0{n}" for n in range(len(texts))]
    assert [np.float32(row["confidence"]) for row in rows] == expected.confidences.tolist()
    assert [row["label"] for row in rows] == expected.labels
    assert all(list(row) == COLUMNS for row in rows)


FORMATS = [".csv", ".tsv", ".jsonl", ".parquet"]


class Noting(Model):
    """A model with the note "empty" on empty texts."""

    def notes(self, texts: Sequence[str]) -> list[str]:
        return ["" if text else "empty" for text in texts]


@pytest.mark.parametrize("out", FORMATS)
def test_notes_are_written_beside_the_answers(tmp_path: Path, out: str) -> None:
    file = write(tmp_path / "tweets.jsonl", HARD)
    predict_file(Noting(), file, tmp_path / f"answers{out}", "text")
    check(tmp_path / f"answers{out}", HARD)
    notes = [row["note"] for row in read(tmp_path / f"answers{out}")]
    assert notes == ["" if text else "empty" for text in HARD]


class Reviewing(Noting):
    """A model that was trained on a table of reviews of products."""

    columns = Columns(text="review", context="product")


def test_the_model_reads_the_columns_that_it_was_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answers(data: str, *columns: Any) -> list[float]:
        (tmp_path / "t.csv").write_text(data)
        predict_file(Reviewing(), tmp_path / "t.csv", tmp_path / "a.csv", *columns)
        return [np.float32(row["confidence"]) for row in read(tmp_path / "a.csv")]

    def said() -> list[str]:
        lines = capsys.readouterr().err.splitlines()
        return [line.partition("t.csv ")[2] for line in lines if line.startswith("  /")]

    both = "text,product,review\nx,Acme,fine\n"
    assert answers(both) == confidences(["__context_acme fine"])
    assert answers(both, "text") == confidences(["__context_acme x"])
    assert answers(both, None, ("text",)) == confidences(["__context_x fine"])
    assert said() == []
    # Other tables have no column of products, or only one column.
    assert answers("review,text\nfine,x\n") == confidences(["fine"])
    assert answers("body\nfine\n") == confidences(["fine"])
    missing = "has no column 'product': its texts are read without a context"
    # The message names the column, because in a file without a header the name is a text.
    only = "has no column 'review': the texts are read from its only column, 'body'"
    assert said() == [missing, only, missing]
    assert answers("product,body\nAcme,fine\n") == confidences(["__context_acme fine"])
    assert said() == [only]
    with pytest.raises(DataError, match="has no column 'review', which"):
        answers("product\nAcme\n")


class Joining(Noting):
    """A model that was trained on titles and bodies, about a brand in a shop."""

    columns = Columns(text=("title", "body"), context=("brand", "shop"))


def test_several_columns_are_joined_behind_their_contexts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.csv"

    def answers(data: str, *columns: Any) -> list[float]:
        (tmp_path / "t.csv").write_text(data)
        predict_file(Joining(), tmp_path / "t.csv", out, *columns)
        return [np.float32(row["confidence"]) for row in read(out)]

    rows = "body,shop,brand,title\nfine,Mall,Acme,Good\n,Mall,,Good\nfine,,,\n,Mall,Acme,\n"
    assert answers(rows) == confidences(
        [
            "__context_brand__acme __context_shop__mall Good fine",
            "__context_shop__mall Good",
            "fine",
            "",
        ]
    )
    assert (
        answers(rows, "title", ("shop", "brand"))[0]
        == confidences(["__context_brand__mall __context_shop__acme Good"])[0]
    )
    assert "read without" not in capsys.readouterr().err
    assert answers("title,body\na,b\n") == confidences(["a b"])
    assert "no columns 'brand', 'shop': its texts are read without these contexts" in (
        capsys.readouterr().err
    )
    with pytest.raises(DataError) as error:
        answers("title,review\na,b\n")
    assert "has no column 'body', but the model was trained on columns 'title', 'body'; it has" in (
        str(error.value)
    )
    with pytest.raises(DataError, match=r"is given for 1 column; .* 'brand', 'shop': give it for"):
        answers(rows, None, ("shop",))


def test_a_file_of_lines_prints_no_message_about_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.txt").write_text("fine\n")
    predict_file(Reviewing(), tmp_path / "t.txt", tmp_path / "a.csv")
    assert "has no column 'review'" not in capsys.readouterr().err


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("out", FORMATS)
def test_columns_named_as_the_answers_are_kept(
    tmp_path: Path, source: str, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "first.csv", ["fine", ""])
    for number in range(3):  # predict the output again
        answers = tmp_path / f"a{number}{source if number < 2 else out}"
        predict_file(Noting(), file, answers)
        file = answers
    found = read(file)
    names = ["label", "confidence", "note"]
    assert list(found[0]) == [
        *("id", "text", *names),
        *(f"predicted_{name}" for name in names),
        *(f"predicted_{name}_2" for name in names),
    ]
    for row, note in zip(found, ["", "empty"], strict=True):
        for end in ("", "_2"):
            assert row[f"predicted_note{end}"] == row["note"] == note
            assert row[f"predicted_label{end}"] == row["label"]
            again = np.float32(row[f"predicted_confidence{end}"])
            assert again == np.float32(row["confidence"])
    said = (
        f"  {tmp_path}/a0{source} has 'label', 'confidence', 'note' already: the answers are in "
        "'predicted_label', 'predicted_confidence', 'predicted_note'\n"
    )
    assert said in capsys.readouterr().err


THREE = Classes(names=("negative", "neutral", "positive"))
MANY = Classes(names=("label", "a, b", 'say "no"', "ça va?", "愛", "a", "a_2", "1.0", "x" * 200))


@pytest.mark.parametrize("classes", [BINARY, THREE, MANY], ids=lambda classes: classes.count)
@pytest.mark.parametrize("out", FORMATS)
def test_the_probabilities_of_all_classes_are_added_on_demand(
    tmp_path: Path, out: str, classes: Classes
) -> None:
    model, answers = Model(classes), tmp_path / f"answers{out}"
    predict_file(model, write(tmp_path / f"tweets{out}", HARD), answers, "text", probabilities=True)
    rows, expected = read(answers), model.judge(HARD)
    columns = [f"probability_{name}" for name in classes.names]
    assert all(list(row) == [*COLUMNS[:-1], *columns, "note"] for row in rows)
    found = [[np.float32(row[name]) for name in columns] for row in rows]
    assert found == expected.probabilities.tolist()
    assert [row["label"] for row in rows] == expected.labels
    assert len(set(expected.labels)) > 1
    if out == ".parquet":
        types = {field.name: field.type for field in pq.read_schema(answers)}
        assert {types[name] for name in (*columns, "confidence")} == {pa.float32()}
        assert types["label"] == types["note"] == pa.string()


def test_columns_named_as_probabilities_are_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if the free name would be that of another class: predicted_probability_a_2."""
    file = tmp_path / "t.csv"
    given = ["probability_a", "predicted_probability_a", "probability_a_2"]
    file.write_text(f"text,{','.join(given)}\nfine,1,2,3\n")
    model = Model(Classes(names=("a", "a_2")))
    predict_file(model, file, tmp_path / "a.csv", probabilities=True)
    (row,) = read(tmp_path / "a.csv")
    assert [row[name] for name in given] == ["1", "2", "3"]
    instead = ["predicted_probability_a_2", "predicted_probability_a_2_2"]
    assert list(row) == ["text", *given, "label", "confidence", *instead, "note"]
    assert [np.float32(row[name]) for name in instead] == (
        model.judge(["fine"]).probabilities[0].tolist()
    )
    said = capsys.readouterr().err
    assert f"has 'probability_a', 'probability_a_2' already: the answers are in '{instead[0]}'" in (
        said
    )


def test_a_column_that_only_a_late_line_has_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1)
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n{"text": "b", "label": "mine"}\n')
    predict_file(MODEL, tmp_path / "t.jsonl", tmp_path / "a.jsonl")
    first, last = read(tmp_path / "a.jsonl")
    assert list(first) == ["text", "predicted_label", "confidence", "note"]
    assert list(last) == ["text", "label", "predicted_label", "confidence", "note"]
    assert last["label"] == "mine"


VALUES = {
    "dictionary": (["fine", None], ["fine", ""]),
    "date": ([date(2026, 11, 27), None], ["2026-11-27", ""]),
    "time": ([time(9, 30), None], ["09:30:00", ""]),
    "timestamp": ([datetime(2026, 11, 27, 9, 30), None], ["2026-11-27 09:30:00", ""]),
    "nanoseconds": (pa.array([10**9, None], pa.timestamp("ns")), ["1970-01-01 00:00:01", ""]),
    "zoned": (pa.array([1, None], pa.timestamp("s", "UTC")), ["1970-01-01 00:00:01+00:00", ""]),
    "decimal": ([Decimal("1.50"), None], ["1.50", ""]),
    "truth": ([True, None], ["true", ""]),
    "number": ([1.5, float("nan")], ["1.5", ""]),
}


@pytest.mark.parametrize("coded", [False, True])
@pytest.mark.parametrize("kind", VALUES)
def test_parquet_values_are_read_as_text(tmp_path: Path, kind: str, coded: bool) -> None:
    values, texts = VALUES[kind]
    array = pa.array(values)
    if coded or kind == "dictionary":
        array = array.dictionary_encode()
    table = pa.table({"text": array})
    pq.write_table(table, tmp_path / "t.parquet")
    for out in FORMATS:
        predict_file(MODEL, tmp_path / "t.parquet", tmp_path / f"a{out}")
        found = [np.float32(row["confidence"]) for row in read(tmp_path / f"a{out}")]
        assert found == confidences(texts)
    kept = pq.read_table(tmp_path / "a.parquet").column("text").to_pylist()
    assert kept[0] == array.to_pylist()[0]


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    rows = [1.5, float("nan"), float("inf")]
    nested = [[1.0, float("nan")], [], [float("-inf")]]
    table = pa.table({"text": ["a", "b", "c"], "score": rows, "scores": nested})
    pq.write_table(table, tmp_path / "t.parquet")
    predict_file(MODEL, tmp_path / "t.parquet", tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line, parse_constant=pytest.fail) for line in lines]
    assert [row["score"] for row in found] == [1.5, None, None]
    assert [row["scores"] for row in found] == [[1.0, None], [], [None]]


def test_rows_with_notes_are_counted_by_kind(tmp_path: Path) -> None:
    notes = [*[""] * 1200, *["cut: 2 of 3 tokens read"] * 1000, "nothing to go by: a",
             "nothing to go by: b; cut: 2 of 3 tokens read"]  # fmt: skip

    class Known(Noting):
        def notes(self, texts: Sequence[str]) -> list[str]:
            return [notes[int(text)] for text in texts]

    def said(count: int) -> str:
        file = write(tmp_path / "t.csv", [str(number) for number in range(count)])
        return predict_file(Known(), file, tmp_path / "a.csv").summary

    assert said(len(notes)) == "2,202 rows, 1,001 cut, 2 with nothing to go by"
    assert said(1201) == "1,201 rows, 1 cut"
    assert said(1) == "1 row"
    write(tmp_path / "t.csv", ["a"])
    assert predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv").summary == "1 row"


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("out", [*FORMATS, ".ndjson"])
def test_every_format_is_written_to_every_other(tmp_path: Path, source: str, out: str) -> None:
    file = write(tmp_path / f"tweets{source}", HARD)
    answers = tmp_path / "deep" / f"answers{out}"
    assert predict_file(MODEL, file, answers).rows == len(HARD)
    check(answers, HARD)
    assert [path.name for path in answers.parent.iterdir()] == [answers.name]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
        | st.sampled_from(HARD),
        min_size=1,
    ),
    chunk=st.integers(1, 9),
    formats=st.tuples(st.sampled_from(FORMATS), st.sampled_from(FORMATS)),
)
def test_chunks_do_not_change_the_answers(
    tmp_path: Path, texts: list[str], chunk: int, formats: tuple[str, str]
) -> None:
    sizes: list[int] = []

    class Counting(Model):
        def notes(self, some: Sequence[str]) -> list[str]:
            sizes.append(len(some))
            return super().notes(some)

    file = write(tmp_path / f"tweets{formats[0]}", texts)
    answers = tmp_path / f"answers{formats[1]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK", chunk)
        predict_file(Counting(), file, answers, "text")
    check(answers, texts)
    assert max(sizes) <= chunk  # memory holds one chunk
    assert sum(sizes) == len(texts)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int16()),
            "text": pa.array(["a", None], pa.large_string()),
            "at": pa.array([0, 1], pa.timestamp("ms")),
            "tags": pa.array([["x"], []], pa.list_(pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    predict_file(MODEL, tmp_path / "t.parquet", tmp_path / "a.parquet", "text")
    found = pq.read_table(tmp_path / "a.parquet")
    assert found.select(table.column_names).equals(table)
    assert found.schema.field("confidence").type == pa.float32()
    predict_file(MODEL, tmp_path / "t.parquet", tmp_path / "a.csv", "text")
    assert read(tmp_path / "a.csv")[0] | {"confidence": ""} == {
        "n": "1", "text": "a", "at": "1970-01-01 00:00:00", "tags": '["x"]',
        "label": "positive", "confidence": "", "note": "",
    }  # fmt: skip


def test_json_lines_keep_all_values(tmp_path: Path) -> None:
    lines = [{"text": "a", "n": 1.5, "deep": {"x": [None]}}, {"text": None, "more": True}, {"n": 2}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    predict_file(MODEL, tmp_path / "t.jsonl", tmp_path / "a.jsonl", "text")
    found = read(tmp_path / "a.jsonl")
    assert [{k: row[k] for k in list(row)[:-3]} for row in found] == lines
    assert found[1]["confidence"] == found[2]["confidence"] == confidences([""])[0]


def test_a_text_file_has_one_text_per_line(tmp_path: Path) -> None:
    (tmp_path / "t.TXT").write_bytes(b'\xef\xbb\xbfone, "two"\r\n\nlast')
    predict_file(MODEL, tmp_path / "t.TXT", tmp_path / "a.csv", "text")
    assert [row["text"] for row in read(tmp_path / "a.csv")] == ['one, "two"', "", "last"]


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("inner", [".csv", ".txt"])
def test_compressed_files_are_read(tmp_path: Path, suffix: str, inner: str) -> None:
    file = tmp_path / f"t{inner}{suffix}"
    PACKERS[suffix](b"text\nfine\n", file)
    predict_file(MODEL, file, tmp_path / "a.csv", "text")
    assert [row["text"] for row in read(tmp_path / "a.csv")][-1] == "fine"


def test_a_given_column_is_read_and_an_old_output_replaced(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("tweet,text\nfine,x\n")
    (tmp_path / "a.csv").write_text("old")
    predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv", "tweet")
    assert float(read(tmp_path / "a.csv")[0]["confidence"]) == pytest.approx(
        confidences(["fine"])[0]
    )


def test_context_is_put_before_each_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,brand,part\nfine,Acme,lens\ngood,,case\n,Acme,lens\n")
    predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv", "text", ["brand"])
    answers = [np.float32(row["confidence"]) for row in read(tmp_path / "a.csv")]
    assert answers == confidences(["__context_acme fine", "good", ""])
    with pytest.raises(DataError, match=r"no column 'maker'; it has .*'part'; see --context"):
        predict_file(MODEL, tmp_path / "t.csv", tmp_path / "b.csv", "text", ["maker"])
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize(
    ("name", "data", "out", "column", "said"),
    [
        ("t.csv", b"id,tweet\n1,a\n", "a.csv", "text",
         "no column 'text'; it has 'id', 'tweet'; see --column"),
        ("t.csv", b"id,tweet\n1,a\n", "a.csv", None, "has no column 'text', which the model was "
         "trained on; it has 'id', 'tweet'; name the column of texts with --column"),

        ("t.csv", b"text\n", "a.csv", "text", "no rows"),
        ("t.csv", b"", "a.csv", "text", "is empty"),
        ("t.csv", b"id,text\n1,a\n2,b,c\n", "a.csv", "text", "has 3 fields, the header has 2"),
        ("t.csv", b"text,text\na,b\n", "a.csv", "text", "'text' 2 times"),
        ("t.csv", b"text\na\n", "t.csv", "text", "is the input file"),
        ("t.csv", b"text\na\n", "a.xlsx", "text", "allowed: .csv, .tsv, .jsonl"),
        ("t.doc", b"text\na\n", "a.csv", "text", "allowed: .csv"),
        ("t.jsonl", b'{"text": "a"}\n[1]\n', "a.csv", "text", "line 2"),
        ("t.jsonl", b'{"text": "a"}\n{"text": "\\ud800"}\n', "a.csv", "text",
         r"t\.jsonl: line 2 has half a surrogate pair"),
        ("t.jsonl", b'{"text": ["a"]}\n', "a.csv", "text", "line 1, column 'text' is"),
        ("t.jsonl", b'{"text": "a", "n": 1}\n{"text": "b", "n": "x"}\n', "a.parquet", "text",
         "cannot hold these values"),
        ("t.parquet", b"PAR1 no", "a.csv", "text", "cannot be read as a Parquet file"),
        ("t.csv.gz", b"text\na\n", "a.csv", "text", "cannot be unpacked"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, name: str, data: bytes, out: str, column: str | None, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SentigateError, match=said) as error:
        predict_file(MODEL, tmp_path / name, tmp_path / out, column)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == data


def test_an_error_in_a_later_chunk_keeps_the_old_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 2)
    (tmp_path / "t.csv").write_text("text\na\nb\nc\nd,e\n")
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(SourceError, match="row 4"):
        predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv", "text")
    assert (tmp_path / "a.csv").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_new_column_after_the_first_chunk_needs_json_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 1)
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n{"text": "b", "more": 1}\n')
    for out in ("a.csv", "a.parquet"):
        with pytest.raises(DataError, match=r"'more'.*\.jsonl can"):
            predict_file(MODEL, tmp_path / "t.jsonl", tmp_path / out, "text")
    assert predict_file(MODEL, tmp_path / "t.jsonl", tmp_path / "a.jsonl").rows == 2


def test_a_missing_input_and_a_folder_as_output_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no\.csv does not exist \(looked for in"):
        predict_file(MODEL, tmp_path / "no.csv", tmp_path / "a.csv", "text")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        predict_file(MODEL, tmp_path / "no.csv", tmp_path / "b.csv", "text")


def test_a_column_that_another_separator_gives_is_not_read_as_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id;text\n1;fine, really\n")
    with pytest.raises(DataError, match="Separated by semicolons") as error:
        predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv")
    assert str(error.value).endswith("Add to the command:\n  --separator ';'")
    dialect = Dialect(separator=";")
    predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv", dialect=dialect)
    (row,) = read(tmp_path / "a.csv")
    assert (row["id"], row["text"]) == ("1", "fine, really")


def test_a_first_row_of_data_is_not_read_as_the_name_of_the_only_column(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("what a lovely day it was\nfine\n")
    with pytest.raises(DataError, match="looks like data") as error:
        predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv")
    assert str(error.value).endswith("Add to the command:\n  --no-header")
    predict_file(MODEL, tmp_path / "t.csv", tmp_path / "a.csv", dialect=Dialect(no_header=True))
    assert [row["1"] for row in read(tmp_path / "a.csv")] == ["what a lovely day it was", "fine"]


def test_files_of_a_pattern_are_predicted_as_one(tmp_path: Path) -> None:
    for name, data in (("a.csv", "text,n\nfine,1\n"), ("b.csv", "n,text\n2,poor\n")):
        (tmp_path / name).write_text(data)
    pattern = tmp_path / "*.csv"
    with pytest.raises(DataError, match="is the input file"):
        predict_file(MODEL, pattern, tmp_path / "b.csv")
    predict_file(MODEL, pattern, tmp_path / "answers.tsv")
    rows = read(tmp_path / "answers.tsv")
    assert [(row["n"], row["text"]) for row in rows] == [("1", "fine"), ("2", "poor")]


def test_a_spreadsheet_is_predicted(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", {"S": [["text", "n"], ["fine", 5.0], ["poor", 2.5]]})
    predict_file(MODEL, tmp_path / "t.xlsx", tmp_path / "a.jsonl")
    assert [(row["text"], row["n"]) for row in read(tmp_path / "a.jsonl")] == [
        ("fine", 5),
        ("poor", 2.5),
    ]
