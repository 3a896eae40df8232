"""From the bytes of a CSV, TSV, JSON lines or Parquet file to columns of values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import SourceError, shorten


@dataclass(frozen=True)
class Table:
    """The columns that were asked for, and where each row is in the file."""

    columns: dict[str, list[object]]
    unit: Literal["row", "line"]
    places: Sequence[int]
    """Number of each row in ``unit``, counted from 1; for rows, after the header."""


def parse_csv(data: bytes, wanted: Collection[str], origin: str) -> Table:
    """Comma separated, quoted with ``"``; values are str."""
    return _parse_delimited(data, wanted, origin, ",")


def parse_tsv(data: bytes, wanted: Collection[str], origin: str) -> Table:
    """Tab separated, quoted with ``"``; values are str."""
    return _parse_delimited(data, wanted, origin, "\t")


def parse_json_lines(data: bytes, wanted: Collection[str], origin: str) -> Table:
    """One JSON object a line; values are as JSON has them, None where a key is not there."""
    records: list[dict[str, object]] = []
    places = []
    # Not splitlines(): JSON may hold U+2028 and its like within a string.
    for number, line in enumerate(_decode(data, origin).split("\n"), 1):
        if line.strip():
            records.append(_json_object(line, f"{origin}: line {number:,}"))
            places.append(number)
    _require_columns(wanted, dict.fromkeys(key for record in records for key in record), origin)
    return Table(
        {name: [record.get(name) for record in records] for name in wanted}, "line", places
    )


def parse_parquet(data: bytes, wanted: Collection[str], origin: str) -> Table:
    """Values are as Arrow gives them to Python."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        _require_columns(wanted, file.schema_arrow.names, origin)
        table = file.read(columns=list(wanted))
        columns = {name: table.column(name).to_pylist() for name in wanted}
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise SourceError(f"{origin} cannot be read as a Parquet file: {reason}") from None
    return Table(columns, "row", range(1, table.num_rows + 1))


PARSERS: dict[str, Callable[[bytes, Collection[str], str], Table]] = {
    ".csv": parse_csv,
    ".tsv": parse_tsv,
    ".jsonl": parse_json_lines,
    ".ndjson": parse_json_lines,
    ".parquet": parse_parquet,
}
"""By extension. Each takes the file, the columns wanted, and its name for messages."""


def _parse_delimited(data: bytes, wanted: Collection[str], origin: str, delimiter: str) -> Table:
    text = _decode(data, origin)
    # The limit is the whole process's, and at its default refuses a text of 131,072 characters.
    limit = csv.field_size_limit(max(len(text), 1))
    try:
        header, rows = _delimited_rows(text, delimiter, origin)
    finally:
        csv.field_size_limit(limit)
    _require_columns(wanted, header, origin)
    indexes = {name: header.index(name) for name in wanted}
    columns: dict[str, list[object]] = {
        name: [row[index] for row in rows] for name, index in indexes.items()
    }
    return Table(columns, "row", range(1, len(rows) + 1))


def _delimited_rows(text: str, delimiter: str, origin: str) -> tuple[list[str], list[list[str]]]:
    # strict: a quote that is never closed would otherwise swallow the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        # A blank line gives an empty list and isn't a row.
        header = next((row for row in reader if row), [])
        for row in reader:
            if len(row) == len(header):
                rows.append(row)
            elif row:
                raise SourceError(
                    f"{origin}: row {len(rows) + 1:,} (it ends at line {reader.line_num:,}) has "
                    f"{len(row)} fields, the header {len(header)}; a value that holds the "
                    f"separator {delimiter!r} must stand in double quotes"
                )
    except csv.Error as error:
        raise SourceError(
            f"{origin}: row {len(rows) + 1:,} (it ends at line {reader.line_num:,}): {error}; "
            "a value that begins with a double quote must end with one, and those within are "
            "doubled"
        ) from None
    return header, rows


def _decode(data: bytes, origin: str) -> str:
    """The text of a UTF-8 file, with or without a byte order mark."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(f"{origin} is UTF-16; save it as UTF-8")
    if (position := data.find(b"\0")) >= 0:
        raise SourceError(
            f"{origin}: line {_line(data, position):,} holds a NUL byte; "
            "the file is binary or damaged, allowed is text in UTF-8"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{origin}: line {_line(data, error.start):,} is not UTF-8: byte "
            f"0x{data[error.start]:02X} at offset {error.start:,}; save the file as UTF-8"
        ) from None
    if not text.strip():
        raise SourceError(f"{origin} is empty")
    return text


def _line(data: bytes, position: int) -> int:
    return len((data[:position] + b".").splitlines())


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
                f"{place} has half a surrogate pair (\\ud800 to \\udfff), which is no character"
            ) from None
    return record


def _require_columns(wanted: Collection[str], there: Collection[str], origin: str) -> None:
    names = list(there)
    for name in wanted:
        if name not in names:
            shown = ", ".join(shorten(other, 40) for other in names[:10])
            more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
            raise SourceError(f"{origin} has no column {name!r}; it has {shown or 'none'}{more}")
        if names.count(name) > 1:
            raise SourceError(f"{origin} has the column {name!r} {names.count(name)} times")
