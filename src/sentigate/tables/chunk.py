"""Some rows of a table, with the place of each row in its file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from sentigate.errors import SourceError, shorten
from sentigate.model.text.values import as_text

from .dialect import Dialect, Writing

Record = dict[str, Any]
"""A row: column -> value."""
CHUNK = 16_384
"""Rows in a chunk, at most: enough to fill batches with texts of equal length."""


class Opening(NamedTuple):
    """What a format needs to read a file.

    Attributes:
        file: the unpacked file.
        origin: name of the file in messages.
        suffix: the file's format, as a lower-case extension.
        dialect: how the table is written.
        wanted: the columns to read; None for all.
        writing: how the user writes a setting.
    """

    file: BinaryIO
    origin: str
    suffix: str
    dialect: Dialect
    wanted: Sequence[str] | None
    writing: Writing


class Part(NamedTuple):
    """An open file.

    Attributes:
        names: columns that are read.
        chunks: the rows, once.
        header: all columns of the file, as far as they are known.
        schema: Arrow schema of a Parquet file.
    """

    names: list[str]
    chunks: Iterator[Chunk]
    header: list[str]
    schema: Any = None


@dataclass(frozen=True)
class Chunk(ABC):
    """Some rows of one file.

    Attributes:
        origin: name of the file in messages.
        unit: what ``places`` count; rows are counted without the header.
        places: number of each row in its file, from 1.
    """

    origin: str
    unit: Literal["row", "line", "sheet row"]
    places: Sequence[int]

    def __len__(self) -> int:
        return len(self.places)

    @abstractmethod
    def texts(self, name: str) -> pa.ChunkedArray:
        """Return a column as texts (large_string, no nulls); a missing value is "".

        Raises:
            SourceError: a value is a list or an object.
        """

    @abstractmethod
    def records(self) -> list[Record]:
        """Return the rows, with the values as the file has them."""

    def place(self, index: int, column: str) -> str:
        """Return the name of a value in messages."""
        return f"{self.origin}: {self.unit} {self.places[index]:,}, column {column!r}"

    def _as_texts(self, values: Sequence[object], name: str) -> pa.ChunkedArray:
        texts = [
            value if isinstance(value, str) else self._as_text(value, index, name)
            for index, value in enumerate(values)
        ]
        return pa.chunked_array([pa.array(texts, pa.large_string())])

    def _as_text(self, value: object, index: int, name: str) -> str:
        text = as_text(value)
        if text is None:
            raise SourceError(
                f"{self.place(index, name)} is {shorten(value)}; allowed: text, a number or a date"
            )
        return text


@dataclass(frozen=True)
class RecordChunk(Chunk):
    """Rows as Python objects.

    Attributes:
        rows: the rows; a row need not have all columns.
    """

    rows: list[Record]

    def texts(self, name: str) -> pa.ChunkedArray:
        """See ``Chunk``."""
        return self._as_texts([row.get(name) for row in self.rows], name)

    def records(self) -> list[Record]:
        """See ``Chunk``."""
        return self.rows


@dataclass(frozen=True)
class ArrowChunk(Chunk):
    """Rows as Arrow columns.

    Attributes:
        table: the rows.
    """

    table: pa.Table

    def texts(self, name: str) -> pa.ChunkedArray:
        """See ``Chunk``."""
        column = self.table.column(name)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            texts = column
            if column.type != pa.large_string():
                texts = column.cast(pa.large_string())
            return pc.fill_null(texts, "") if texts.null_count else texts
        return self._as_texts(column.to_pylist(), name)

    def records(self) -> list[Record]:
        """See ``Chunk``."""
        names = self.table.column_names
        columns = [column.to_pylist() for column in self.table.columns]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def require_columns(
    wanted: Sequence[str], header: Sequence[str], origin: str, hint: Callable[[], str] = str
) -> None:
    """Refuse a table that lacks a wanted column or has it more than once.

    Args:
        wanted: the columns to read.
        header: the columns of the table.
        origin: name of the file in messages.
        hint: returns advice for a missing column.
    """
    names = list(header)
    for name in wanted:
        if name not in names:
            raise SourceError(f"{origin} has no column {name!r}; it has {listed(names)}{hint()}")
        if names.count(name) > 1:
            raise SourceError(f"{origin} has the column {name!r} {names.count(name)} times")


def listed(names: Sequence[str]) -> str:
    """Return up to ten names of columns for a message."""
    shown = ", ".join(shorten(name, 40) for name in names[:10])
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f"{shown or 'none'}{more}"
