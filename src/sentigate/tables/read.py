"""Read a table as a stream of records; a record is a row as a dict of column -> value."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from sentigate.errors import SourceError, shorten

from .compression import format_of, unpack
from .parse import check_text, delimited_rows, records_of, require_columns

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Record = dict[str, Any]
DELIMITERS = {".csv": ",", ".tsv": "\t"}
CHUNK = 16_384
"""Records in memory at one time: enough to fill batches with texts of equal length."""


class Input(NamedTuple):
    """An open table.

    Attributes:
        names: Names of the columns; for JSON lines, the keys of all lines.
        chunks: Lists of up to CHUNK records; values are str, except in JSON lines and Parquet.
        size: Size of the unpacked file in bytes.
        position: Returns how many of these bytes have been read.
        schema: Arrow schema of a Parquet file, or None.
    """

    names: list[str]
    chunks: Iterator[list[Record]]
    size: int
    position: Callable[[], int]
    schema: pa.Schema | None


@contextmanager
def open_records(path: Path) -> Iterator[Input]:
    """Open CSV, TSV, JSON lines, Parquet, or plain text (a column ``text`` with a row per line).

    Raises:
        SourceError: the file cannot be read as a table, or, while reading ``chunks``, a row is
            damaged.
    """
    origin = str(path)
    # format_of knows no plain text; .txt has the same compressions as .csv.
    name = re.sub(r"\.txt(\.\w+)?$", r".csv\1", path.name, flags=re.IGNORECASE)
    try:
        format_, compression = format_of(name, origin)
    except SourceError as error:
        raise SourceError(f"{error}; and .txt with a text per line") from None
    is_text = name != path.name
    try:
        packed = path.open("rb")
    except OSError as error:
        raise SourceError(f"{origin} cannot be read: {error.strerror}") from None
    limit = csv.field_size_limit()
    with packed, unpack(packed, compression, origin) as file:
        size = os.fstat(file.fileno()).st_size
        csv.field_size_limit(max(size, limit))  # the default is 131,072 characters
        try:
            if format_ == ".parquet":
                yield _open_parquet(file, size, origin)
            else:
                check_text(file, origin)
                if is_text:
                    names, records = ["text"], _lines(file)
                elif format_ in DELIMITERS:
                    names, records = _rows(file, DELIMITERS[format_], origin)
                else:
                    found = (record for _, record in records_of(file, origin))
                    names = list(dict.fromkeys(name for record in found for name in record))
                    file.seek(0)
                    records = (record for _, record in records_of(file, origin))
                yield Input(names, _in_chunks(records), size, file.tell, None)
        finally:
            csv.field_size_limit(limit)


def _in_chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while some := list(islice(records, CHUNK)):
        yield some


def _lines(file: BinaryIO) -> Iterator[Record]:
    for number, line in enumerate(file):
        text = line.decode("utf-8" if number else "utf-8-sig")
        yield {"text": text.removesuffix("\n").removesuffix("\r")}


def _rows(file: BinaryIO, delimiter: str, origin: str) -> tuple[list[str], Iterator[Record]]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = delimited_rows(text, delimiter, origin)
    header = next(rows)
    require_columns(header, header, origin)  # no column twice

    def records() -> Iterator[Record]:
        for row in rows:
            yield dict(zip(header, row, strict=True))
        text.detach()  # otherwise the file is closed together with ``text``

    return header, records()


def _open_parquet(file: BinaryIO, size: int, origin: str) -> Input:
    import pyarrow as pa
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    damaged = (pa.ArrowException, OSError, ValueError, OverflowError)
    done = 0

    def unreadable(error: Exception) -> SourceError:
        reason = shorten(" ".join(str(error).split()), 200)
        return SourceError(f"{origin} cannot be read as a Parquet file: {reason}")

    try:
        table = pq.ParquetFile(file)
    except damaged as error:
        raise unreadable(error) from None
    names = table.schema_arrow.names
    require_columns(names, names, origin)

    def chunks() -> Iterator[list[Record]]:
        nonlocal done
        batches = table.iter_batches(CHUNK)
        while True:
            try:
                batch = next(batches, None)
                records = [] if batch is None else batch.to_pylist()
            except damaged as error:
                raise unreadable(error) from None
            if batch is None:
                return
            yield records
            done += batch.num_rows

    rows = max(table.metadata.num_rows, 1)
    return Input(names, chunks(), size, lambda: size * done // rows, table.schema_arrow)
