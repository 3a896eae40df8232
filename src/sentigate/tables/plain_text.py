"""Plain text: a column ``text`` with a row for each line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pyarrow as pa  # type: ignore[import-untyped]

from . import chunk
from .chunk import ArrowChunk, Chunk, Opening, Part, require_columns
from .shape import missing_hint
from .text import text_of, utf8_blocks

NAME = "text"


def open_plain_text(opening: Opening) -> Part:
    """Read lines; a blank line is a row, too. Lines end in LF or CRLF."""
    wanted = opening.wanted or [NAME]
    require_columns(wanted, [NAME], opening.origin, lambda: missing_hint(opening, wanted, ""))
    return Part([NAME], _chunks(opening), [NAME])


def _chunks(opening: Opening) -> Iterator[Chunk]:
    text = text_of(utf8_blocks(opening))
    text.reconfigure(newline="\n")
    done = 0
    while some := list(islice(text, chunk.CHUNK)):
        lines = [line.removesuffix("\n").removesuffix("\r") for line in some]
        table = pa.table({NAME: pa.array(lines, pa.large_string())})
        yield ArrowChunk(opening.origin, "line", range(done + 1, done + len(lines) + 1), table)
        done += len(lines)
