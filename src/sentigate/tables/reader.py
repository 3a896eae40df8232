"""The reader of tables, for training and for prediction: any format, in chunks of rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.errors import SourceError

from .chunk import Chunk, Opening, Part, listed
from .compression import member_format, unpack
from .delimited import open_delimited
from .dialect import IN_ENTRY, Dialect, Writing
from .json_records import open_json
from .parquet import open_parquet
from .plain_text import open_plain_text
from .shape import missing_hint
from .spreadsheet import open_spreadsheet
from .table_file import DELIMITERS, JSON, SPREADSHEETS, TEXT, TableFile, format_of

OPENERS: dict[str, Callable[[Opening], Part]] = {
    **dict.fromkeys(DELIMITERS, open_delimited),
    **dict.fromkeys(JSON, open_json),
    **dict.fromkeys(SPREADSHEETS, open_spreadsheet),
    ".parquet": open_parquet,
    TEXT: open_plain_text,
}
"""Extension -> what opens a file of that format."""


class OpenTable:
    """An open table; its rows can be read once.

    Attributes:
        names: the columns that are read, in order.
        schema: Arrow schema of the first Parquet file; None for other formats.
        size: size of all files in bytes.
        chunks: the rows.
    """

    def __init__(
        self,
        files: Sequence[TableFile],
        dialect: Dialect,
        wanted: Sequence[str] | None,
        writing: Writing,
    ) -> None:
        self._wanted, self._dialect, self._writing = wanted, dialect, writing
        self._stack, self._done = ExitStack(), 0
        self.size = sum(_size(file) for file in files)
        try:
            self._opening, self._part = self._open(files[0])
        except BaseException:
            self.close()
            raise
        self.names, self.schema = self._part.names, self._part.schema
        self.chunks = self._chunks(files)

    def position(self) -> int:
        """Return how many bytes of the files have been read."""
        if self._opening.file.closed:
            return self._done
        size = max(os.fstat(self._opening.file.fileno()).st_size, 1)
        return self._done + self._packed * min(self._opening.file.tell(), size) // size

    def hint(self, names: Sequence[str]) -> str:
        """Return what to write if the columns ``names`` are missing; "" for no advice."""
        suffix, dialect = self._opening.suffix, self._dialect
        if not (suffix == TEXT or suffix in DELIMITERS):
            return ""
        default = DELIMITERS.get(suffix, "")
        return missing_hint(self._opening, names, dialect.delimiter or default)

    def close(self) -> None:
        """Close the open file."""
        self._stack.close()

    def _open(self, file: TableFile) -> tuple[Opening, Part]:
        self._packed = _size(file)
        opening = self._stack.enter_context(
            opened(file, self._dialect, self._wanted, self._writing)
        )
        suffix = opening.suffix
        open_part = OPENERS[suffix]
        if suffix == TEXT and self._dialect.separator is not None:
            open_part = open_delimited
        return opening, open_part(opening)

    def _chunks(self, files: Sequence[TableFile]) -> Iterator[Chunk]:
        yield from self._part.chunks
        first = self._part
        for file in files[1:]:
            self._done += self._packed
            self._stack.close()
            self._opening, self._part = self._open(file)
            _check_same(first.header, self._part.header, files[0].origin, file.origin)
            yield from self._part.chunks


def _check_same(first: Sequence[str], other: Sequence[str], origin: str, name: str) -> None:
    if set(first) == set(other):
        return
    lacking = [column for column in first if column not in other]
    said = f"lacks {listed(lacking)}" if lacking else "has more columns: "
    said += "" if lacking else listed([column for column in other if column not in first])
    raise SourceError(
        f"{name} {said}, unlike {origin}; the files of one table must have the same columns"
    )


def _size(file: TableFile) -> int:
    try:
        return file.path.stat().st_size
    except OSError as error:
        raise SourceError(f"{file.origin} cannot be read: {error.strerror}") from None


@contextmanager
def opened(
    file: TableFile,
    dialect: Dialect = Dialect(),  # noqa: B008 (it is frozen)
    wanted: Sequence[str] | None = None,
    writing: Writing = IN_ENTRY,
) -> Iterator[Opening]:
    """Open and unpack a file.

    Raises:
        SourceError: the file cannot be read, or has an unknown extension.
    """
    found = format_of(file.name, file.origin, dialect)
    try:
        packed: BinaryIO = file.path.open("rb")
    except OSError as error:
        raise SourceError(f"{file.origin} cannot be read: {error.strerror}") from None
    with packed:
        if not os.fstat(packed.fileno()).st_size:
            raise SourceError(f"{file.origin} is empty")
        suffix = found.suffix
        if found.compression == ".zip":
            suffix = member_format(packed, suffix, file.origin)
        if suffix not in OPENERS:
            format_of(f"a{suffix}", file.origin, dialect)  # raises the error
        with unpack(packed, found.compression, file.origin) as unpacked:
            yield Opening(unpacked, file.origin, suffix, dialect, wanted, writing)


@contextmanager
def open_table(
    files: Sequence[TableFile],
    dialect: Dialect,
    wanted: Sequence[str] | None = None,
    writing: Writing = IN_ENTRY,
) -> Iterator[OpenTable]:
    """Open the files of a table, which have the same columns.

    Args:
        files: one file or more.
        dialect: how the table is written.
        wanted: the columns to read; None for all.
        writing: how the user writes a setting, for messages.

    Raises:
        SourceError: a file cannot be read as a table, or lacks a wanted column; or, while the
            chunks are read, a row is damaged.
    """
    dialect.check(files[0].origin)
    table = OpenTable(files, dialect, wanted, writing)
    try:
        yield table
    finally:
        table.close()


class Made(NamedTuple):
    """A column that is made of others while these are read, so that they need not be kept.

    Attributes:
        columns: the others.
        of: returns the value of a row, from the row's values in ``columns``.
    """

    columns: Sequence[str]
    of: Callable[..., str]


class WholeTable(NamedTuple):
    """All rows of some columns.

    Attributes:
        columns: name -> values as texts; a missing value is "".
        made: name -> values of a column that was made of others.
        size: number of rows.
        row: returns the name of a row in messages, such as "row 17".
        place: returns the name of a value in messages, from the number of its row and its column.
    """

    columns: dict[str, pd.Series[str]]
    made: dict[str, pd.Series[str]]
    size: int
    row: Callable[[int], str]
    place: Callable[[int, str], str]


class _Places(NamedTuple):
    """The rows of one file."""

    first: int
    origin: str
    unit: str
    numbers: list[Any]


def read_columns(
    files: Sequence[TableFile],
    columns: Sequence[str],
    dialect: Dialect,
    writing: Writing = IN_ENTRY,
    made: Mapping[str, Made] = MappingProxyType({}),
) -> WholeTable:
    """Read some columns of a table; only one chunk at a time is Python objects.

    Args:
        files: the files of the table.
        columns: names of the columns to return.
        dialect: how the table is written.
        writing: how a setting is written in messages.
        made: name -> a column to make of others.

    Raises:
        SourceError: a file cannot be read, a value is no text, or the table has no rows.
    """
    arrays: dict[str, list[pa.Array]] = {name: [] for name in columns}
    made_arrays: dict[str, list[pa.Array]] = {name: [] for name in made}
    wanted = list(dict.fromkeys([*(n for each in made.values() for n in each.columns), *columns]))
    places: list[_Places] = []
    size = 0
    with open_table(files, dialect, wanted, writing) as table:
        for chunk in table.chunks:
            texts = {name: chunk.texts(name) for name in wanted}
            for name in columns:
                arrays[name] += texts[name].chunks
            for name, parts in made.items():
                values = map(parts.of, *(texts[part].to_pylist() for part in parts.columns))
                made_arrays[name].append(pa.array(list(values), pa.large_string()))
            if not places or places[-1].origin != chunk.origin:
                places.append(_Places(size, chunk.origin, chunk.unit, []))
            places[-1].numbers.append(
                chunk.places
                if isinstance(chunk.places, range)
                else np.asarray(chunk.places, dtype=np.int64)
            )
            size += len(chunk)
    if not size:
        raise SourceError(f"{files[0].origin} has columns but no rows")

    def found(index: int) -> tuple[_Places, int]:
        file = next(part for part in reversed(places) if part.first <= index)
        index -= file.first
        for numbers in file.numbers:
            if index < len(numbers):
                return file, int(numbers[index])
            index -= len(numbers)
        raise IndexError(index)

    def row(index: int) -> str:
        file, number = found(index)
        within = f" of {file.origin}" if len(files) > 1 else ""
        return f"{file.unit} {number:,}{within}"

    def place(index: int, column: str) -> str:
        file, number = found(index)
        return f"{file.origin}: {file.unit} {number:,}, column {column!r}"

    series, made_series = (
        {
            name: pd.Series(pa.chunked_array(read.pop(name), pa.large_string()), dtype="str")
            for name in list(read)
        }
        for read in (arrays, made_arrays)
    )
    return WholeTable(series, made_series, size, row, place)
