"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.errors import SourceError, shorten

from . import chunk
from .chunk import ArrowChunk, Chunk, Opening, Part, require_columns

DAMAGED = (pa.ArrowException, OSError, ValueError, OverflowError)


def open_parquet(opening: Opening) -> Part:
    """Read the file's columns; values have the Python types that Arrow converts to."""
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        file = pq.ParquetFile(opening.file)
    except DAMAGED as error:
        raise _unreadable(opening, error) from None
    header = file.schema_arrow.names
    names = header if opening.wanted is None else list(opening.wanted)
    require_columns(names, header, opening.origin)
    return Part(names, _chunks(file, names, opening), header, file.schema_arrow)


def _chunks(file: Any, names: list[str], opening: Opening) -> Iterator[Chunk]:
    done = 0
    try:
        for batch in file.iter_batches(chunk.CHUNK, columns=names):
            table = pa.Table.from_batches([batch]).select(names)
            places = range(done + 1, done + batch.num_rows + 1)
            yield _ParquetChunk(opening.origin, "row", places, table)
            done += batch.num_rows
    except DAMAGED as error:
        raise _unreadable(opening, error) from None


class _ParquetChunk(ArrowChunk):
    """Some values cannot be Python objects, such as a date in the year 20,000."""

    def texts(self, name: str) -> pa.ChunkedArray:
        """See ``Chunk``."""
        try:
            return super().texts(name)
        except DAMAGED as error:
            raise _unreadable(self, error) from None

    def records(self) -> list[chunk.Record]:
        """See ``Chunk``."""
        try:
            return super().records()
        except DAMAGED as error:
            raise _unreadable(self, error) from None


def _unreadable(place: Opening | Chunk, error: Exception) -> SourceError:
    reason = shorten(" ".join(str(error).split()), 200)
    return SourceError(f"{place.origin} cannot be read as a Parquet file: {reason}")
