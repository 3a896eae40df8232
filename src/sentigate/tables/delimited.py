"""Delimited text: Arrow reads blocks of whole rows, and csv reads what Arrow cannot."""

from __future__ import annotations

import csv
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Literal, NamedTuple

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as arrow_csv  # type: ignore[import-untyped]

from sentigate.errors import SourceError

from . import chunk
from .chunk import ArrowChunk, Chunk, Opening, Part, require_columns
from .quotes import whole_rows
from .shape import missing_hint
from .table_file import DELIMITERS
from .text import line_at, text_of, utf8_blocks

THREADS = min(4, os.cpu_count() or 1)
"""Blocks that Arrow parses at one time."""
ARROW_BLOCK = 1 << 18
"""Arrow is fastest with blocks of this size; it refuses a longer row, which csv then reads."""
LONGEST_VALUE = 64 << 20
"""A value may have so many characters; otherwise a quote is not closed, and memory fills up."""
BYTE_ORDER_MARK = "\ufeff".encode()


class _Reading(NamedTuple):
    """How the rows of a file are read.

    Attributes:
        opening: the file.
        header: names of all columns.
        names: columns to read.
        separator: the character between values.
    """

    opening: Opening
    header: list[str]
    names: list[str]
    separator: str


def open_delimited(opening: Opening) -> Part:
    """Read the header, or number the columns; values are texts."""
    separator = opening.dialect.delimiter or DELIMITERS.get(opening.suffix, ",")
    reading = _Reading(opening, [], [], separator)
    blocks = utf8_blocks(opening)
    data, rows = b"", None
    for block in chain(blocks, [b""]):
        data += block
        size, _ = _whole_rows(data, reading, last=not block)
        if (rows := _first_row(data[:size], reading)) or len(data) > LONGEST_VALUE or not block:
            break
    fields, size = rows or _first_row(data, reading) or ([], 0)
    if not data.strip():
        raise SourceError(f"{opening.origin} is empty")
    if opening.dialect.no_header:
        fields, size = [str(number + 1) for number in range(len(fields))], 0
    names = fields if opening.wanted is None else list(opening.wanted)

    def hint() -> str:
        return missing_hint(opening, names, separator)

    require_columns(names, fields, opening.origin, hint)
    reading = _Reading(opening, fields, names, separator)
    tables = _tables(reading, chain([data[size:]], blocks), size)
    return Part(names, _chunks(tables, opening), fields)


def _first_row(data: bytes, reading: _Reading) -> tuple[list[str], int] | None:
    """Return the first row that is not blank, and the bytes up to its end."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in text_of([data]):
            read += len(line.encode())
            yield line

    row = next(_rows(lines(), reading, 0, lambda: 1), None)
    return None if row is None else (row, read)


def _whole_rows(data: bytes, reading: _Reading, *, last: bool) -> tuple[int, bool]:
    quotes = not reading.opening.dialect.plain_quotes
    return whole_rows(data, ord(reading.separator), last=last, quotes=quotes)


class _Piece(NamedTuple):
    """Some text that begins with a row.

    Attributes:
        data: whole rows; if ``rest`` is given, the text before it.
        start: number of bytes of the text before it.
        rest: for a piece with irregular quotes, which is the last, the blocks after it.
    """

    data: memoryview
    start: int
    rest: Iterable[bytes] | None = None


def _tables(reading: _Reading, blocks: Iterator[bytes], start: int) -> Iterator[pa.Table]:
    """Yield the rows of ``blocks``, which begin at the byte ``start`` of the text."""
    rows = 0
    for piece, table in _parsed_ahead(reading, _pieces(reading, blocks, start)):
        if table is not None:
            rows += table.num_rows
            yield table
            continue
        remaining = chain([bytes(piece.data)], piece.rest or ())
        for table in _strictly(reading, remaining, rows, piece.start):
            rows += table.num_rows
            yield table


def _pieces(reading: _Reading, blocks: Iterator[bytes], start: int) -> Iterator[_Piece]:
    """Cut the text between rows."""
    rest = b""
    for block in chain(blocks, [None]):
        data = rest if block is None else rest + block
        size, regular = _whole_rows(data, reading, last=block is None)
        if not regular or len(data) - size > LONGEST_VALUE:
            yield _Piece(memoryview(data), start, () if block is None else blocks)
            return
        if size:
            yield _Piece(memoryview(data)[:size], start)
        rest, start = data[size:], start + size


def _parsed_ahead(
    reading: _Reading, pieces: Iterator[_Piece]
) -> Iterator[tuple[_Piece, pa.Table | None]]:
    """Yield each piece, in order, with what ``_parsed`` returns; Arrow works in other threads."""
    ended: SourceError | None = None
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[tuple[_Piece, Future[pa.Table | None]]] = deque()
        more = True
        while more or waiting:
            while more and len(waiting) <= THREADS:
                try:
                    piece = next(pieces, None)
                except SourceError as error:  # it comes after the rows that are waiting
                    piece, ended = None, error
                more = piece is not None and piece.rest is None
                if piece is not None:
                    waiting.append((piece, pool.submit(_parsed, reading, piece)))
            if waiting:
                piece, parsed = waiting.popleft()
                yield piece, parsed.result()
    if ended:
        raise ended


def _parsed(reading: _Reading, piece: _Piece) -> pa.Table | None:
    """Return the rows as Arrow reads them; None if csv must read them."""
    data, names = piece.data, reading.names
    if piece.rest is not None:
        return None
    # Arrow refuses a table of blank lines, and skips a byte-order mark, which is part of a value.
    begin = bytes(data[:3])
    if begin == BYTE_ORDER_MARK or not begin.strip(b"\r\n"):
        return None
    header = [str(number) for number in range(len(reading.header))]
    quotes = not reading.opening.dialect.plain_quotes
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(data)),
            arrow_csv.ReadOptions(column_names=header, block_size=ARROW_BLOCK, use_threads=False),
            arrow_csv.ParseOptions(
                delimiter=reading.separator,
                quote_char='"' if quotes else False,
                newlines_in_values=quotes,
            ),
            arrow_csv.ConvertOptions(
                include_columns=[str(reading.header.index(name)) for name in names],
                column_types=dict.fromkeys(header, pa.large_string()),
                check_utf8=False,  # already checked
            ),
        )
    except pa.ArrowInvalid:  # a long row, or one with a wrong number of fields
        return None
    return table.rename_columns(names)


def _strictly(
    reading: _Reading, blocks: Iterable[bytes], rows: int, start: int
) -> Iterator[pa.Table]:
    """Yield the rows of ``blocks`` as csv reads them.

    Args:
        reading: how the file is read.
        blocks: text that begins with a row.
        rows: number of rows before it, for messages.
        start: number of bytes before it, for messages.
    """
    places = [reading.header.index(name) for name in reading.names]

    def line() -> int:
        return line_at(reading.opening, start)

    found = _rows(text_of(blocks), reading, rows, line)
    while some := list(islice(found, chunk.CHUNK)):
        columns = [pa.array([row[place] for row in some], pa.large_string()) for place in places]
        yield pa.table(columns, names=reading.names)


def _rows(
    lines: Iterable[str], reading: _Reading, done: int, line: Callable[[], int]
) -> Iterator[list[str]]:
    """Yield the rows of ``lines``; a blank line is no row.

    strict: otherwise the rest of the file becomes one value after a quote that is not closed.
    """
    opening, size = reading.opening, len(reading.header)
    plain = opening.dialect.plain_quotes
    quoting: Literal[0, 3] = csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL
    reader = csv.reader(lines, delimiter=reading.separator, quoting=quoting, strict=True)
    number, before = done + 1, 0
    while True:
        limit = csv.field_size_limit(LONGEST_VALUE)  # of the whole process
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _damaged(reading, number, line() - 1 + reader.line_num, str(error)) from None
        finally:
            csv.field_size_limit(limit)
        if row is None:
            return
        if size and row and len(row) != size:
            at = line() - 1
            several = not plain and reader.line_num > before + 1
            raise _ragged(reading, number, at + reader.line_num, len(row), several=several)
        if row:
            yield row
            number += 1
        before = reader.line_num


def _ragged(reading: _Reading, row: int, line: int, fields: int, *, several: bool) -> SourceError:
    opening = reading.opening
    said = (
        f"{opening.origin}: row {row:,} (it ends at line {line:,}) has {fields} fields, "
        f"{'the first row' if opening.dialect.no_header else 'the header'} has "
        f"{len(reading.header)}; a value that contains the separator {reading.separator!r} must be "
        "in double quotes"
    )
    return SourceError(said + (f". {_plain_quotes(opening)}" if several else ""))


def _damaged(reading: _Reading, row: int, line: int, reason: str) -> SourceError:
    if "field larger" in reason:
        reason = f"a value has more than {LONGEST_VALUE:,} characters"
    return SourceError(
        f"{reading.opening.origin}: row {row:,} (it ends at line {line:,}): {reason}; a value that "
        "begins with a double quote must end with one, and each double quote inside it must be "
        f"doubled. {_plain_quotes(reading.opening)}"
    )


def _plain_quotes(opening: Opening) -> str:
    setting = opening.writing.lines(("plain_quotes", True))
    return f"If a double quote is only a character in this file: {setting}"


def _chunks(tables: Iterator[pa.Table], opening: Opening) -> Iterator[Chunk]:
    """Yield tables of chunk.CHUNK rows; the last may be shorter."""
    waiting: list[pa.Table] = []
    done = 0
    for table in chain(tables, [None]):
        waiting += [] if table is None else [table]
        rows = sum(part.num_rows for part in waiting)
        while rows >= chunk.CHUNK or (rows and table is None):
            joined = pa.concat_tables(waiting)
            first, waiting = joined.slice(0, chunk.CHUNK), [joined.slice(chunk.CHUNK)]
            rows -= first.num_rows
            places = range(done + 1, done + first.num_rows + 1)
            yield ArrowChunk(opening.origin, "row", places, first)
            done += first.num_rows
