"""Write a stream of records in the format of a file's extension."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import IO, Any

from sentigate.errors import DataError, shorten

from .chunk import CHUNK, Record
from .table_file import DELIMITERS


def check_output(out: Path) -> str:
    """Return the format of a file name, as a lower-case extension.

    Raises:
        DataError: the extension is unknown.
    """
    suffix = out.suffix.lower()
    if suffix not in WRITERS:
        raise DataError(f"{out} has an unknown extension; allowed: {', '.join(WRITERS)}")
    return suffix


def write_records(chunks: Iterable[list[Record]], file: IO[bytes], out: Path, schema: Any) -> None:
    """Write all records in the format of ``out``.

    Args:
        chunks: Records. For CSV, TSV and Parquet, the first chunk sets the columns.
        file: File to write to.
        out: Name of the file, for the format and for messages.
        schema: Arrow schema for Parquet; None to infer it from the first chunk.

    Raises:
        DataError: a later record has a column or a type that the format cannot hold.
    """
    WRITERS[check_output(out)](chunks, file, out, schema)


def _write_delimited(
    chunks: Iterable[list[Record]], file: IO[bytes], out: Path, schema: Any
) -> None:
    delimiter = DELIMITERS[check_output(out)]
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    plain = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    # csv does not quote a lone carriage return, but readers take it for the end of the line.
    quoted = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    names: list[str] = []
    for chunk in chunks:
        if not names:
            names = _columns(chunk)
            quoted.writerow(names) if any("\r" in name for name in names) else plain.writerow(names)
        for record in chunk:
            _check_columns(record, names, out)
            row = [_cell(record.get(name)) for name in names]
            (quoted if any("\r" in cell for cell in row) else plain).writerow(row)
    text.flush()
    text.detach()


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, dict | list | bool):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _write_json_lines(
    chunks: Iterable[list[Record]], file: IO[bytes], out: Path, schema: Any
) -> None:
    for chunk in chunks:
        for record in chunk:
            try:
                line = json.dumps(record, ensure_ascii=False, default=str, allow_nan=False)
            except ValueError:
                line = json.dumps(_without_nan(record), ensure_ascii=False, default=str)
            file.write(line.encode() + b"\n")


def _without_nan(value: Any) -> Any:
    """Replace NaN and the infinities, which JSON does not have, by None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return [_without_nan(inner) for inner in value] if isinstance(value, list) else value


def _write_parquet(chunks: Iterable[list[Record]], file: IO[bytes], out: Path, schema: Any) -> None:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    writer = None
    try:
        for chunk in chunks:
            if schema is None:
                names = _columns(chunk)
                table = pa.table({n: [record.get(n) for record in chunk] for n in names})
                schema = pa.schema(
                    field.with_type(pa.string()) if pa.types.is_null(field.type) else field
                    for field in table.schema
                )
            if writer is None:
                writer = pq.ParquetWriter(file, schema, compression="zstd")
            for record in chunk:
                _check_columns(record, schema.names, out)
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
    except (pa.ArrowException, OverflowError, TypeError) as error:
        reason = shorten(" ".join(str(error).split()), 200)
        raise DataError(f"{out} cannot hold these values, {reason}; .jsonl can") from None
    finally:
        if writer is not None:
            writer.close()


def _columns(chunk: list[Record]) -> list[str]:
    return list(dict.fromkeys(name for record in chunk for name in record))


def _check_columns(record: Record, names: Collection[str], out: Path) -> None:
    for name in record.keys() - names:
        raise DataError(
            f"{out} cannot hold the column {name!r}, which none of the first {CHUNK:,} rows has; "
            ".jsonl can"
        )


Writer = Callable[[Iterable[list[Record]], IO[bytes], Path, Any], None]
WRITERS: dict[str, Writer] = {
    ".csv": _write_delimited,
    ".tsv": _write_delimited,
    ".jsonl": _write_json_lines,
    ".ndjson": _write_json_lines,
    ".parquet": _write_parquet,
}
