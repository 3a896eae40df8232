"""Parse CSV, TSV, JSON lines and Parquet files into columns of values, chunk by chunk."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Literal

from sentigate.errors import SourceError, shorten

# Rows held as Python objects at one time.
CHUNK = 8192
BLOCK_BYTES = 1 << 20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Chunk:
    """Some rows of the wanted columns, and the place of each row in the file."""

    columns: dict[str, list[object]]
    unit: Literal["row", "line"]
    places: Sequence[int]
    """Number of each row, in ``unit``, from 1; rows are counted without the header."""


def parse_csv(file: BinaryIO, wanted: Collection[str], origin: str) -> Iterator[Chunk]:
    """Parse comma-separated values, quoted with ``"``; values are str."""
    return _parse_delimited(file, wanted, origin, ",")


def parse_tsv(file: BinaryIO, wanted: Collection[str], origin: str) -> Iterator[Chunk]:
    """Parse tab-separated values, quoted with ``"``; values are str."""
    return _parse_delimited(file, wanted, origin, "\t")


def parse_json_lines(file: BinaryIO, wanted: Collection[str], origin: str) -> Iterator[Chunk]:
    """Parse one JSON object per line; values have their JSON type, None for a missing key."""
    check_text(file, origin)
    keys: dict[str, None] = {}
    records = records_of(file, origin)
    while some := list(islice(records, CHUNK)):
        for _, record in some:
            keys.update(dict.fromkeys(record))
        columns = {name: [record.get(name) for _, record in some] for name in wanted}
        yield Chunk(columns, "line", [number for number, _ in some])
    require_columns(wanted, keys, origin)


def parse_parquet(file: BinaryIO, wanted: Collection[str], origin: str) -> Iterator[Chunk]:
    """Parse Parquet; values have the Python types that Arrow converts to."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    rows = 0
    try:
        table = pq.ParquetFile(file)
        require_columns(wanted, table.schema_arrow.names, origin)
        for batch in table.iter_batches(CHUNK, columns=list(wanted)):
            columns = {name: batch.column(name).to_pylist() for name in wanted}
            yield Chunk(columns, "row", range(rows + 1, rows + batch.num_rows + 1))
            rows += batch.num_rows
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise SourceError(f"{origin} cannot be read as a Parquet file: {reason}") from None


PARSERS: dict[str, Callable[[BinaryIO, Collection[str], str], Iterator[Chunk]]] = {
    ".csv": parse_csv,
    ".tsv": parse_tsv,
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
    ".parquet": parse_parquet,
}
"""Extension -> parser. A parser takes the file, the wanted columns, and the file's name for errors.

A parser raises an error when it reaches the damaged row, after it has given the chunks before it.
"""


def _parse_delimited(
    file: BinaryIO, wanted: Collection[str], origin: str, delimiter: str
) -> Iterator[Chunk]:
    check_text(file, origin)
    # The limit holds for the whole process. Its default refuses texts over 131,072 characters.
    limit = csv.field_size_limit(os.fstat(file.fileno()).st_size)
    done = 0
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            rows = delimited_rows(text, delimiter, origin)
            header = next(rows)
            require_columns(wanted, header, origin)
            indexes = {name: header.index(name) for name in wanted}
            while some := list(islice(rows, CHUNK)):
                columns: dict[str, list[object]] = {
                    name: [row[index] for row in some] for name, index in indexes.items()
                }
                yield Chunk(columns, "row", range(done + 1, done + len(some) + 1))
                done += len(some)
    finally:
        csv.field_size_limit(limit)


def delimited_rows(text: io.TextIOWrapper, delimiter: str, origin: str) -> Iterator[list[str]]:
    """Yield the header, then the rows."""
    # strict: otherwise the rest of the file becomes one value after a quote that is not closed.
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    try:
        # A blank line gives an empty list and does not count as a row.
        header = next((row for row in reader if row), [])
        yield header
        number = 1
        for row in reader:
            if len(row) == len(header):
                yield row
                number += 1
            elif row:
                raise SourceError(
                    f"{origin}: row {number:,} (it ends at line {reader.line_num:,}) has "
                    f"{len(row)} fields, the header has {len(header)}; a value that contains the "
                    f"separator {delimiter!r} must be in double quotes"
                )
    except csv.Error as error:
        raise SourceError(
            f"{origin}: row {max(number, 1):,} (it ends at line {reader.line_num:,}): {error}; "
            "a value that begins with a double quote must end with one, and each double quote "
            "inside it must be doubled"
        ) from None


def records_of(file: BinaryIO, origin: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the line number and the object of each line that is not blank."""
    # Not splitlines(): a JSON string may contain U+2028 and similar characters.
    for number, data in enumerate(file, 1):
        if number == 1:
            data = data.removeprefix(BYTE_ORDER_MARK)
        line = data.decode().removesuffix("\n")
        if line.strip():
            yield number, _json_object(line, f"{origin}: line {number:,}")


def check_text(file: BinaryIO, origin: str) -> None:
    """Refuse a file that is not UTF-8, with or without a byte order mark; then rewind it."""
    begin = file.read(len(BYTE_ORDER_MARK))
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(f"{origin} is UTF-16; save it as UTF-8")
    done = len(begin) if begin == BYTE_ORDER_MARK else 0
    file.seek(done)
    decoder = codecs.getincrementaldecoder("utf-8")()
    blank, data = True, b"?"
    while data:
        data = file.read(BLOCK_BYTES)
        if (position := data.find(b"\0")) >= 0:
            raise SourceError(
                f"{origin}: line {_line(file, done + position):,} has a NUL byte, so the file is "
                "binary or damaged; allowed: text in UTF-8"
            )
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # error.object begins with the bytes of an unfinished character from the last block.
            position = done + len(data) - len(error.object) + error.start
            raise SourceError(
                f"{origin}: line {_line(file, position):,} is not UTF-8: byte "
                f"0x{error.object[error.start]:02X} at offset {position:,}; save the file as UTF-8"
            ) from None
        blank = blank and not text.strip()
        done += len(data)
    if blank:
        raise SourceError(f"{origin} is empty")
    file.seek(0)


def _line(file: BinaryIO, position: int) -> int:
    """Return the number of the line that has the byte at ``position``."""
    file.seek(0)
    lines, last = 1, b""
    while data := file.read(min(BLOCK_BYTES, position)):
        lines += data.count(b"\n") + data.count(b"\r") - (last + data).count(b"\r\n")
        position -= len(data)
        last = data[-1:]
    return lines


def _json_object(line: str, place: str) -> dict[str, object]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{place} is not JSON: {error.msg} at character {error.pos + 1:,}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{place} is not JSON: {shorten(str(error))}") from None
    if not isinstance(record, dict):
        raise SourceError(
            f"{place} is {shorten(record)}; each line must be a JSON object, as in "
            '{"text": "...", "sentiment": "..."}'
        )
    if "\\u" in line:
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SourceError(
                f"{place} has half a surrogate pair (\\ud800 to \\udfff), which is not a character"
            ) from None
    return record


def require_columns(wanted: Collection[str], header: Collection[str], origin: str) -> None:
    """Refuse a table that lacks a wanted column or has it more than once."""
    names = list(header)
    for name in wanted:
        if name not in names:
            shown = ", ".join(shorten(other, 40) for other in names[:10])
            more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
            raise SourceError(f"{origin} has no column {name!r}; it has {shown or 'none'}{more}")
        if names.count(name) > 1:
            raise SourceError(f"{origin} has the column {name!r} {names.count(name)} times")
