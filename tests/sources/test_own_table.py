"""The user's table: values that are read, and the errors about values that are refused."""

import bz2
import datetime
import gzip
import hashlib
import io
import json
import lzma
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentigate.artifacts import RAW_TEXTS
from sentigate.errors import SourceError
from sentigate.settings.table import TableSource
from sentigate.sources import read_source
from sentigate.tables import chunk, text

LABELS = ["good", "bad", "so-so"]
CSV = b'text,sentiment\n"fine, really",good\npoor,bad\n'


@pytest.fixture(autouse=True, params=["default chunks", "small chunks"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test also with chunks of two rows, and blocks that split most characters."""
    if request.param == "small chunks":
        monkeypatch.setattr(chunk, "CHUNK", 2)
        monkeypatch.setattr(text, "BLOCK_BYTES", 5)


def source_of(path: Path, **changes: object) -> TableSource:
    values: dict[str, object] = {
        "sha256": None,
        "text_column": "text",
        "sentiment_column": "sentiment",
        "id_column": None,
        "group_column": None,
        "slice_column": None,
        "fold_column": None,
        "context_column": None,
    }
    return TableSource.model_validate(
        {"kind": "table", "name": None, "path": str(path)} | values | changes
    )


Reader = Callable[..., pd.DataFrame]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Return a function that writes ``data`` to a file ``name`` and reads it."""

    def read(
        name: str, data: bytes, labels: list[str] = LABELS, limit: int = 1_000, **changes: str
    ) -> pd.DataFrame:
        (tmp_path / name).write_bytes(data)
        source = source_of(tmp_path / name, **changes)
        return read_source(source, dict.fromkeys(labels, "some"), limit, tmp_path / "cache")

    return read


@pytest.fixture
def refusal(read: Reader, tmp_path: Path) -> Callable[..., str]:
    """Return a function that returns the error's message, without the folder's name."""

    def refusal(name: str, data: bytes, **options: object) -> str:
        with pytest.raises(SourceError) as caught:
            read(name, data, **options)
        message = str(caught.value)
        said, *lines = message.split("\n")
        assert all(line.startswith(("labels: {", "  ")) for line in lines)
        assert len(said) < 1_000
        assert message.startswith(str(tmp_path / name))
        return message.removeprefix(f"{tmp_path}/")

    return refusal


Refusal = Callable[..., str]


def parquet(**columns: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, CSV)
    return buffer.getvalue()


def zstandard(data: bytes) -> bytes:
    buffer = pa.BufferOutputStream()
    with pa.CompressedOutputStream(buffer, "zstd") as stream:
        stream.write(data)
    return bytes(buffer.getvalue())


JSON_LINES = b'{"text": "fine, really", "sentiment": "good"}\n{"text": "poor", "sentiment": "bad"}'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", CSV),
        ("a.CSV", CSV),
        ("a.b.c.csv", CSV),
        ("a.csv", b"\xef\xbb\xbf" + CSV),
        ("a.csv", CSV.replace(b"\n", b"\r\n")),
        ("a.csv", CSV.replace(b"\n", b"\r")),
        ("a.csv", CSV.rstrip()),
        ("a.csv", b"\n" + CSV.replace(b"\n", b"\n\n")),
        ("a.tsv", b"text\tsentiment\nfine, really\tgood\npoor\tbad\n"),
        ("a.jsonl", JSON_LINES),
        ("a.jsonl", b"\xef\xbb\xbf" + JSON_LINES.replace(b"\n", b"\r\n\r\n")),
        ("a.NDJSON", JSON_LINES + b"\n"),
        ("a.parquet", parquet(text=["fine, really", "poor"], sentiment=["good", "bad"])),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.Csv.GZ", gzip.compress(CSV, mtime=0)),
        ("a.csv.bz2", bz2.compress(CSV)),
        ("a.csv.xz", lzma.compress(CSV)),
        ("a.csv.zip", zipped("whatever.txt")),
        ("a.csv.zst", zstandard(CSV)),
        ("a.jsonl.gz", gzip.compress(JSON_LINES, mtime=0)),
    ],
)
def test_formats(read: Reader, name: str, data: bytes) -> None:
    frame = read(name, data)
    assert list(frame.columns) == list(RAW_TEXTS.columns)
    assert all(dtype == "str" for dtype in frame.dtypes)
    assert frame.to_dict("records") == [
        dict(zip(RAW_TEXTS.columns, ("1", "1", "", "good", "fine, really", "", ""), strict=True)),
        dict(zip(RAW_TEXTS.columns, ("2", "2", "", "bad", "poor", "", ""), strict=True)),
    ]


def test_every_column(read: Reader) -> None:
    data = b"f,t,s,i,g,l\ntrain,fine,good,x1,ada,web\ntest,poor,bad,x2,ada,\n"
    frame = read(
        "a.csv",
        data,
        text_column="t",
        sentiment_column="s",
        id_column="i",
        group_column="g",
        slice_column="l",
        fold_column="f",
    )
    assert frame.to_numpy().tolist() == [
        ["x1", "ada", "web", "good", "fine", "train", ""],
        ["x2", "ada", "", "bad", "poor", "test", ""],
    ]


def test_without_a_group_column_the_group_is_the_id(read: Reader) -> None:
    frame = read("a.csv", b"text,sentiment,i\na,good,x\nb,bad,y\n", id_column="i")
    assert frame["group"].tolist() == ["x", "y"]


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        (["ada", "", "ada", " "], ["ada", "2", "ada", "4"]),
        (["", "", "", ""], ["1", "2", "3", "4"]),
        # A group may have the name of a row number.
        (["2", "", "", "2"], ["2", "row 2", "row 3", "2"]),
        (["2", "", "row 2", "row 3"], ["2", "row row 2", "row 2", "row 3"]),
    ],
)
def test_a_row_without_a_group_is_a_group_of_its_own(
    read: Reader, given: list[str], groups: list[str]
) -> None:
    rows = "".join(f"text {number},good,{group}\n" for number, group in enumerate(given))
    frame = read("a.csv", f"text,sentiment,g\n{rows}".encode(), group_column="g")
    assert frame["group"].tolist() == groups
    assert frame["group"].dtype == "str"


def test_texts_are_not_changed(read: Reader) -> None:
    texts = [
        "",
        " ",
        "NA",
        "null",
        "1.50",
        "a\nb\r\nc",
        'say ""',
        "é 😀 \u2028 \x85 \x0b",
        "'",
        "\\",
    ]
    quoted = [f'"{text.replace(chr(34), chr(34) * 2)}",good' for text in texts]
    data = "\n".join(["text,sentiment", *quoted]).encode()
    assert read("a.csv", data)["text"].tolist() == texts
    records = [json.dumps({"text": text, "sentiment": "good"}) for text in texts]
    assert read("a.jsonl", "\n".join(records).encode())["text"].tolist() == texts
    raw = [json.dumps({"text": t, "sentiment": "good"}, ensure_ascii=False) for t in texts]
    assert read("a.jsonl", "\n".join(raw).encode())["text"].tolist() == texts
    data = parquet(text=texts, sentiment=["good"] * len(texts))
    assert read("a.parquet", data)["text"].tolist() == texts


def test_missing_text_is_empty(read: Reader) -> None:
    lines = b'{"text": null, "sentiment": "good"}\n{"sentiment": "bad"}\n' + JSON_LINES
    assert read("a.jsonl", lines)["text"].tolist() == ["", "", "fine, really", "poor"]
    data = parquet(text=["a", None], sentiment=["good", "bad"])
    assert read("a.parquet", data)["text"].tolist() == ["a", ""]
    assert read("a.csv", b"text,sentiment\n,good\n")["text"].tolist() == [""]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.parquet", parquet(text=["a", "b"], sentiment=[1, 0])),
        ("a.parquet", parquet(text=["a", "b"], sentiment=[1.0, 0.0])),
        ("a.parquet", parquet(text=["a", "b"], sentiment=pa.array([1, 0], pa.int8()))),
        ("a.parquet", parquet(text=["a", "b"], sentiment=pa.array(["1", "0"]).dictionary_encode())),
        ("a.jsonl", b'{"text": "a", "sentiment": 1}\n{"text": "b", "sentiment": 0.0}'),
        ("a.csv", b"text,sentiment\na,1\nb,0.0\n"),
    ],
)
def test_numbers_as_labels(read: Reader, name: str, data: bytes) -> None:
    assert read(name, data, labels=["0", "1"])["sentiment"].tolist() == ["1", "0"]


def test_labels_written_as_fractions(read: Reader) -> None:
    data = parquet(text=["a", "b"], sentiment=[1.0, 0.0])
    frame = read("a.parquet", data, labels=["0.0", "1.0"])
    assert frame["sentiment"].tolist() == ["1.0", "0.0"]


def test_truth_values_as_labels(read: Reader) -> None:
    data = parquet(text=["a", "b"], sentiment=[True, False])
    assert read("a.parquet", data, labels=["true", "false"])["sentiment"].tolist() == [
        "true",
        "false",
    ]


def test_numbers_and_dates_elsewhere(read: Reader) -> None:
    day = datetime.date(2024, 5, 1)
    data = parquet(text=[5, 6], sentiment=["good", "bad"], i=[10, 11], d=[day, day])
    frame = read("a.parquet", data, id_column="i", slice_column="d")
    assert frame[["id", "slice", "text"]].to_numpy().tolist() == [
        ["10", "2024-05-01", "5"],
        ["11", "2024-05-01", "6"],
    ]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv does not exist \(looked for in /"):
        read_source(source_of(tmp_path / "none.csv"), {}, 9, tmp_path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder without Parquet files; name a file in it"):
        read_source(source_of(tmp_path), {}, 9, tmp_path)


@pytest.mark.parametrize(
    "name", ["a", "a.doc", "a.gz", "a.csv.rar", "a.parquet.gz", ".csv", "a.csv.gz.gz"]
)
def test_an_unknown_extension_is_refused(refusal: Refusal, name: str) -> None:
    assert "allowed: .csv, .tsv, .tab, .json, .jsonl, .ndjson, .txt, each also with" in refusal(
        name, CSV
    )


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet", "a.csv.gz"])
def test_an_empty_file_is_refused(refusal: Refusal, name: str) -> None:
    assert refusal(name, b"") == f"{name} is empty"


@pytest.mark.parametrize("data", [b"\n\n \n", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_blank_file_is_refused(refusal: Refusal, name: str, data: bytes) -> None:
    assert refusal(name, data) == f"{name} is empty"


def test_an_empty_compressed_file_is_refused(refusal: Refusal) -> None:
    assert refusal("a.csv.gz", gzip.compress(b"", mtime=0)) == "a.csv.gz is empty"


def test_a_table_without_rows_is_refused(refusal: Refusal) -> None:
    assert "no rows" in refusal("a.csv", b"text,sentiment\n")
    data = parquet(text=pa.array([], pa.string()), sentiment=pa.array([], pa.string()))
    assert "no rows" in refusal("a.parquet", data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"review,sentiment\na,good\n"),
        ("a.tsv", b"review\tsentiment\na\tgood\n"),
        ("a.jsonl", b'{"review": "a", "sentiment": "good"}'),
        ("a.parquet", parquet(review=["a"], sentiment=["good"])),
    ],
)
def test_missing_column(refusal: Refusal, name: str, data: bytes) -> None:
    assert refusal(name, data) == f"{name} has no column 'text'; it has 'review', 'sentiment'"


def test_missing_column_among_many(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1 << 10)
    header = ",".join(f"column{number}" + "x" * 1_000 for number in range(50))
    message = refusal("a.csv", f"{header}\n".encode())
    assert message.endswith("and 40 more")


def test_column_twice(refusal: Refusal) -> None:
    assert "column 'text' 2 times" in refusal("a.csv", b"text,sentiment,text\na,good,b\n")


def test_binary_file(refusal: Refusal) -> None:
    picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    assert "line 3 has a NUL byte, so the file is binary" in refusal("a.csv", picture)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_nul_byte(refusal: Refusal, end: bytes) -> None:
    data = end.join([b"text,sentiment", b"a,good", b"b\0c,bad", b"d,bad"])
    assert "line 3 has a NUL byte" in refusal("a.csv", data)


def test_nul_byte_in_json_lines(refusal: Refusal) -> None:
    assert "line 2 has a NUL byte" in refusal("a.jsonl", JSON_LINES + b"\0")


def test_not_utf8(refusal: Refusal) -> None:
    data = "text,sentiment\na,good\ncafé,bad\n".encode("latin-1")
    assert "line 3 is not UTF-8: byte 0xE9 at offset 25. Write" in refusal("a.csv", data)


def test_ragged_rows(refusal: Refusal) -> None:
    many = refusal("a.csv", b'text,sentiment\n"a\nb",good\nc, or d,bad\n')
    assert "row 2 (it ends at line 4) has 3 fields, the header has 2" in many
    assert "double quotes" in many
    few = refusal("a.csv", b"text,sentiment\na,good\nb,bad\nc\n")
    assert "row 3 (it ends at line 4) has 1 fields, the header has 2" in few


def test_a_quote_that_is_not_closed_is_refused(refusal: Refusal) -> None:
    message = refusal("a.csv", b'text,sentiment\na,good\n"b,bad\nc,good\n')
    assert "row 2 (it ends at line 4): unexpected end of data" in message
    assert "row 1 " in refusal("a.csv", b'text,sentiment\n"a" b,good\n')


@pytest.mark.parametrize(
    ("name", "data", "place"),
    [
        ("a.csv", b"text,sentiment\na,good\n\nb,fine\n", "row 2"),
        ("a.tsv", b"text\tsentiment\na\tgood\nb\tfine\n", "row 2"),
        ("a.jsonl", JSON_LINES + b'\n\n{"text": "", "sentiment": "fine"}', "line 4"),
        ("a.parquet", parquet(text=["a", "b"], sentiment=["good", "fine"]), "row 2"),
    ],
)
def test_unknown_label(refusal: Refusal, name: str, data: bytes, place: str) -> None:
    assert refusal(name, data) == (
        f"{name}: {place}, column 'sentiment' is 'fine'; "
        "allowed (the data set's labels): good, bad, so-so. "
        "Sentiments without a label: 'fine' (1 row). To use their rows, correct the source, or "
        "write this in datasets/NAME.yaml, with a class of classes.names instead of null; null "
        "drops the rows:\nlabels: {good: some, bad: some, so-so: some, fine: null}"
    )


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", b"text,sentiment\na,good\nb,\n"),
        ("a.csv", b"text,sentiment\na,good\nb,  \n"),
        ("a.jsonl", b'{"text": "a", "sentiment": "good"}\n{"text": "b"}'),
        ("a.jsonl", b'{"text": "a", "sentiment": "good"}\n{"text": "b", "sentiment": null}'),
        ("a.jsonl", b'{"text": "a", "sentiment": "good"}\n{"text": "b", "sentiment": NaN}'),
        ("a.parquet", parquet(text=["a", "b"], sentiment=["good", None])),
    ],
)
def test_empty_sentiment(refusal: Refusal, name: str, data: bytes) -> None:
    message = refusal(name, data)
    assert " 2, column 'sentiment' is empty; allowed" in message


@pytest.mark.parametrize(
    "value", [[1], {"a": "b" * 9_000}, ["x"] * 5_000], ids=["list", "object", "long"]
)
def test_a_value_that_is_not_text_is_refused(refusal: Refusal, value: object) -> None:
    line = json.dumps({"text": value, "sentiment": "good"}).encode()
    assert "line 1, column 'text' is" in refusal("a.jsonl", line)
    data = parquet(text=[value], sentiment=["good"])
    assert "row 1, column 'text' is" in refusal("a.parquet", data)


@pytest.mark.parametrize(
    "line", [b'{"text": "a",', b"text", b"{'text': 'a'}", b"[" * 100_000, b"9" * 5_000]
)
def test_broken_json(refusal: Refusal, line: bytes) -> None:
    assert "a.jsonl: line 3 is not JSON: " in refusal("a.jsonl", JSON_LINES + b"\n" + line)


@pytest.mark.parametrize("line", [b"[1]", b'"text"', b"5", b"null"])
def test_json_that_is_not_an_object_is_refused(refusal: Refusal, line: bytes) -> None:
    message = refusal("a.jsonl", JSON_LINES + b"\n" + line)
    assert "a.jsonl: line 3 is " in message
    assert "must be a JSON object" in message


def test_half_a_surrogate_pair(refusal: Refusal, read: Reader) -> None:
    line = b'{"text": "\\ud83d", "sentiment": "good"}'
    assert "line 1 has half a surrogate pair" in refusal("a.jsonl", line)
    whole = line.replace(b"\\ud83d", b"\\ud83d\\ude00")
    assert read("a.jsonl", whole)["text"].tolist() == ["😀"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-4]),
        ("a.csv.gz", CSV),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:12] + b"~~~~" + gzip.compress(CSV, mtime=0)[16:]),
        ("a.csv.bz2", bz2.compress(CSV)[:-4]),
        ("a.csv.xz", lzma.compress(CSV)[:-4]),
        ("a.csv.zip", zipped("a.csv")[:-9]),
        ("a.csv.zip", zipped("a.csv").replace(b"poor", b"good")),
        ("a.csv.zst", zstandard(CSV)[:-4]),
        ("a.csv.zst", CSV),
    ],
)
def test_corrupt_compression(refusal: Refusal, name: str, data: bytes) -> None:
    extension = name.removeprefix("a.csv")
    assert f"{name} cannot be unpacked as {extension}: " in refusal(name, data)


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"]])
def test_a_zip_without_exactly_one_table_is_refused(refusal: Refusal, names: list[str]) -> None:
    message = refusal("a.csv.zip", zipped(*names))
    assert f"it has {len(names)} tables" in message
    assert "; allowed: exactly one. Unpack it" in message


@pytest.mark.parametrize("cut", [slice(-1), slice(40), slice(4, None)])
def test_corrupt_parquet(refusal: Refusal, cut: slice) -> None:
    data = parquet(text=["a"], sentiment=["good"])
    assert "a.parquet cannot be read as a Parquet file" in refusal("a.parquet", data[cut])
    assert "a.parquet cannot be read as a Parquet file" in refusal("a.parquet", CSV)


def test_a_megabyte_in_one_line(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 1 << 17)
    huge = b"x" * 1_000_000
    assert "has no column 'text'" in refusal("a.csv", huge)
    assert "1,000,000 characters; allowed: 1,000" in refusal(
        "a.csv", b"text,sentiment\n" + huge + b",good\n"
    )
    assert "row 1, column 'sentiment' is 'xxx" in refusal(
        "a.csv", b"text,sentiment\na," + huge + b"\n"
    )
    assert "line 1 is not JSON" in refusal("a.jsonl", huge)
    line = b'{"sentiment": "good", "text": "' + huge + b'"}'
    assert "1,000,000 characters" in refusal("a.jsonl", line)


def test_a_text_over_the_limit_is_refused(read: Reader, refusal: Refusal) -> None:
    data = "text,sentiment,i\na,good,p\n" + "é" * 20 + ",bad,q\n"
    assert len(read("a.csv", data.encode(), limit=20)) == 2
    assert refusal("a.csv", data.encode(), limit=19, id_column="i").endswith(
        "a.csv: row 2 (id 'q') has a text of 20 characters; allowed: 19 (gates.max_text_characters)"
    )


def test_the_field_size_limit_of_the_process_is_restored(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    import csv

    monkeypatch.setattr(text, "BLOCK_BYTES", 1 << 17)
    before = csv.field_size_limit()
    long = b"y" * 200_000
    frame = read("a.csv", b"text,sentiment\n" + long + b",good\n", limit=200_000)
    assert len(frame["text"][0]) == 200_000
    assert csv.field_size_limit() == before


def test_id_twice_or_empty(refusal: Refusal) -> None:
    data = b"text,sentiment,i\na,good,p\nb,bad,q\nc,bad,p\n"
    assert refusal("a.csv", data, id_column="i") == (
        "a.csv: row 3, column 'i' is 'p', like row 1; ids must be unique"
    )
    data = b"text,sentiment,i\na,good,p\nb,bad,\n"
    assert "row 2, column 'i' is empty" in refusal("a.csv", data, id_column="i")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_places_beyond_the_first_chunk(
    read: Reader, refusal: Refusal, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for errors that need the whole column, as for repeated ids."""
    monkeypatch.setattr(chunk, "CHUNK", min(chunk.CHUNK, 100))
    rows = chunk.CHUNK * 2 + 3

    def table(**last: str) -> bytes:
        """Make numbered rows; ``last`` replaces values of the last row."""
        columns = {
            "text": [f"text {n},\n{n}" for n in range(1, rows + 1)],
            "sentiment": [LABELS[n % 3] for n in range(rows)],
            "i": [f"id-{n}" for n in range(1, rows + 1)],
        }
        for column, value in last.items():
            columns[column][-1] = value
        frame = pd.DataFrame(columns)
        if name == "a.csv":
            return frame.to_csv(index=False).encode()
        if name == "a.jsonl":
            return frame.to_json(orient="records", lines=True).encode()
        return parquet(**columns)

    frame = read(name, table(), id_column="i")
    assert frame["id"].tolist() == [f"id-{n}" for n in range(1, rows + 1)]
    assert frame["text"].tolist() == [f"text {n},\n{n}" for n in range(1, rows + 1)]
    assert frame["sentiment"].tolist() == [LABELS[n % 3] for n in range(rows)]
    unit = "line" if name == "a.jsonl" else "row"
    wrong = refusal(name, table(sentiment="fine"), id_column="i")
    assert wrong.startswith(f"{name}: {unit} {rows:,}, column 'sentiment' is 'fine'; allowed")
    assert refusal(name, table(i="id-1"), id_column="i") == (
        f"{name}: {unit} {rows:,}, column 'i' is 'id-1', like {unit} 1; ids must be unique"
    )


def test_a_column_may_first_occur_in_a_later_chunk(read: Reader) -> None:
    lines = [b'{"sentiment": "good"}'] * 5 + [b'{"text": "a", "sentiment": "bad"}']
    assert read("a.jsonl", b"\n".join(lines))["text"].tolist() == [""] * 5 + ["a"]


@pytest.mark.parametrize("fold", ["", "dev"])
def test_fold_that_is_not_allowed(refusal: Refusal, fold: str) -> None:
    data = f"text,sentiment,f\na,good,train\nb,bad,{fold}\n".encode()
    message = refusal("a.csv", data, fold_column="f")
    assert message.startswith(f"a.csv: row 2, column 'f' is {repr(fold) if fold else 'empty'}; ")


def test_folds_have_any_names(read: Reader) -> None:
    rows = [("a", "Training"), ("b", "dev"), ("c", "held-out"), ("d", "extra"), ("e", "training ")]
    data = "\n".join(["text,sentiment,f", *(f"{text},good,{fold}" for text, fold in rows)])
    folds = {"training": "train", "dev": "validation", "held-out": "test", "extra": None}
    frame = read("a.csv", data.encode(), fold_column="f", folds=folds)
    assert frame["fold"].tolist() == ["train", "validation", "test", "", "train"]
    usual = b"text,sentiment,f\na,good,validation\nb,bad,TEST\nc,bad,train\n"
    assert read("a.csv", usual, fold_column="f")["fold"].tolist() == ["validation", "test", "train"]


def test_several_columns_of_texts_are_joined(read: Reader) -> None:
    data = (
        b"sentiment,body,title\ngood,It works.,Fine\nbad,,Bad\ngood,Only a body,\n"
        b"good, ,\nbad,b, \n"
    )
    frame = read("a.csv", data, text_column=["title", "body"])
    assert frame["text"].tolist() == ["Fine It works.", "Bad", "Only a body", "", "b"]
    assert frame["text"].dtype == "str"
    assert read("a.csv", data, text_column=["body"])["text"].tolist() == [
        "It works.", "", "Only a body", " ", "b",
    ]  # fmt: skip


def test_several_contexts_name_their_columns(read: Reader) -> None:
    data = b"text,sentiment,brand,shop\na,good,Acme,Acme\nb,bad,,Mall\n,good,Acme,Mall\n"
    frame = read("a.csv", data, context_column=["brand", "shop"], slice_column="brand")
    assert frame["text"].tolist() == [
        "__context_brand__acme __context_shop__acme a",
        "__context_shop__mall b",
        "",
    ]
    assert frame["slice"].tolist() == ["Acme", "", "Acme"]
    listed = read("a.csv", data, context_column=["brand"])["text"].tolist()
    assert listed == read("a.csv", data, context_column="brand")["text"].tolist()


def test_numbers_are_cut_into_bands(read: Reader) -> None:
    scores = ["2.5", "4", "3.999", "1e1", " 7.0 ", "", "-1", "6.9"]
    rows = "\n".join(f"text {score},{score}" for score in scores)
    data = f"text,sentiment\n{rows}\n".encode()
    frame = read("a.csv", data, labels=["1", "2", "3", ""], bands=[4, 7])
    assert frame["sentiment"].tolist() == ["1", "2", "1", "3", "3", "", "1", "2"]
    numbers = parquet(text=["a", "b", "c"], sentiment=[2.5, None, 7.0])
    frame = read("a.parquet", numbers, labels=["1", "2", "3", ""], bands=[4, 7])
    assert frame["sentiment"].tolist() == ["1", "", "3"]


def test_dates_have_one_form(read: Reader) -> None:
    data = b"text,sentiment,d\na,good,27.11.2026\nb,bad,\nc,bad,1.2.2026\n"
    frame = read("a.csv", data, date_column="d", date_format="%d.%m.%Y")
    assert frame["date"].tolist() == ["2026-11-27", "", "2026-02-01"]
    day = datetime.date(2026, 11, 27)
    table = parquet(text=["a", "b"], sentiment=["good"] * 2, d=[day, None])
    frame = read("a.parquet", table, date_column="d")
    assert frame["date"].tolist() == ["2026-11-27", ""]


def test_hash(read: Reader, refusal: Refusal) -> None:
    digest = hashlib.sha256(CSV).hexdigest()
    assert len(read("a.csv", CSV, sha256=digest)) == 2
    message = refusal("a.csv", CSV + b"\n", sha256=digest)
    assert digest in message
    assert hashlib.sha256(CSV + b"\n").hexdigest() in message


def test_context_comes_first(read: Reader, refusal: Refusal) -> None:
    data = (
        b"text,sentiment,brand,part\nFine,good,Acme,lens\nDull,bad, ,case\n"
        b" ,good,Acme,lens\nFair,good,,\n"
    )
    frame = read("a.csv", data, context_column="brand", slice_column="brand")
    assert frame["text"].tolist() == ["__context_acme Fine", "Dull", " ", "Fair"]
    assert frame["slice"].tolist() == ["Acme", " ", "Acme", ""]
    assert read("a.csv", data)["text"].tolist() == ["Fine", "Dull", " ", "Fair"]
    assert "'maker'" in refusal("a.csv", data, context_column="maker")


def test_labels_are_checked_for_every_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentigate.settings.dataset import TwitterSource

    files = {"twitter_training.csv": b"1,A,Fine,a\n", "twitter_validation.csv": b"1,A,Good,b\n"}
    with zipfile.ZipFile(tmp_path / "twitter-entity-sentiment-analysis.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    monkeypatch.setenv("SENTIGATE_MIRROR", str(tmp_path))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    source = TwitterSource(kind="twitter", handle="a/b", sha256=hashes, context_column=None)
    both = {"Fine": "a", "Good": "b"}
    assert len(read_source(source, both, 1, tmp_path)) == 2
    with pytest.raises(SourceError, match=r"twitter: row 2 \(validation-1\).* 'Good'; .*: Fine"):
        read_source(source, {"Fine": "a"}, 1, tmp_path)
    with pytest.raises(SourceError, match=r"row 1 .* 1 characters; allowed: 0"):
        read_source(source, both, 0, tmp_path)


def test_a_table_is_read_as_its_keys_say(read: Reader) -> None:
    """Encoding, separator, header and quotes; columns are named by their numbers."""
    data = 'good;a “fine” café\nbad;"poor\n'.encode("cp1252")
    keys: dict[str, Any] = {"separator": ";", "no_header": True, "plain_quotes": True}
    columns = {"text_column": 2, "sentiment_column": "1"}
    frame = read("a.csv", data, encoding="cp1252", **keys, **columns)
    assert frame["text"].tolist() == ["a “fine” café", '"poor']
    assert frame["sentiment"].tolist() == ["good", "bad"]


def test_messages_name_the_file_of_the_data_set(refusal: Refusal) -> None:
    said = refusal("a.csv", b"text;sentiment\na;good\n")
    assert re.search(r"Write in datasets/[\w-]+\.yaml, under source:\n  separator: \";\"$", said)
