"""Find whole rows in a block of delimited text, and quotes that two readers would take apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

QUOTE = ord('"')
PIECE = 1 << 18


class Rows(NamedTuple):
    """Whole rows at the start of a block.

    Attributes:
        size: their size in bytes; 0 if the block ends before the first row.
        regular: whether each quoted value ends with its closing quote. If not, csv refuses the
            row, and Arrow reads on.
    """

    size: int
    regular: bool


def whole_rows(block: bytes, separator: int, *, last: bool, quotes: bool = True) -> Rows:
    """Find the rows that end in the block, which begins with a row.

    Only runs of quotes change whether a place is inside a quoted value. Outside, a run at the
    start of a value opens it if the run is odd; any other run is part of the value. Inside, an odd
    run closes the value.

    Args:
        block: delimited text in UTF-8.
        separator: the byte between values.
        last: whether the block is the last of its file.
        quotes: whether values may be in quotes; otherwise a quote is a character.
    """
    places = _places(block, QUOTE) if quotes else np.empty(0, np.int64)
    if not len(places):
        return Rows(len(block) if last else _end_of_line(block), regular=True)
    new = np.flatnonzero(np.diff(places, prepend=-2) != 1)
    starts = places[new]
    ends = np.append(places[new[1:] - 1], places[-1]) + 1
    odd = ((ends - starts) & 1).astype(bool)
    text = np.frombuffer(block, np.uint8)
    at_start = (starts == 0) | _is_boundary(text[starts - 1], separator)
    at_end = (ends == len(block)) | _is_boundary(text[np.minimum(ends, len(block) - 1)], separator)
    # An odd run at the start of a value turns outside to inside, and back; any other odd run ends
    # outside. Inside means an odd number of turns since the last run that ended outside.
    turns = np.cumsum(odd & at_start)
    since = np.maximum.accumulate(np.where(odd & ~at_start, turns, 0))
    inside = ((turns - since) & 1).astype(bool)
    was_inside = np.concatenate(([False], inside[:-1]))
    wrong = ~at_end & np.where(was_inside, odd, at_start & ~odd)
    if last:
        return Rows(len(block), regular=not (wrong.any() or inside[-1]))
    size = _end_of_rows(block, starts, inside)
    return Rows(size, regular=not wrong[starts < size].any())


def _end_of_rows(block: bytes, starts: npt.NDArray[np.int64], inside: npt.NDArray[np.bool_]) -> int:
    """Return the place after the last end of a line that is outside of quoted values."""
    limit = len(block)
    while limit:
        end = _end_of_line(block[:limit] if limit < len(block) else block)
        run = int(np.searchsorted(starts, end)) - 1  # the last run before the end of the line
        if run < 0 or not inside[run]:
            return end
        outside = np.flatnonzero(~inside[:run])
        limit = int(starts[outside[-1] + 1] if len(outside) else starts[0])
    return 0


def _end_of_line(block: bytes) -> int:
    """Return the place after the last end of a line; a CR at the end may be half of one."""
    limit = len(block) - block.endswith(b"\r")
    return max(block.rfind(b"\n", 0, limit), block.rfind(b"\r", 0, limit)) + 1


def _places(block: bytes, byte: int) -> npt.NDArray[np.int64]:
    """Return the places of a byte, piece by piece, because a piece stays in the processor."""
    text = np.frombuffer(block, np.uint8)
    found = [
        np.flatnonzero(text[start : start + PIECE] == byte) + start
        for start in range(0, len(text), PIECE)
    ]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _is_boundary(text: npt.NDArray[np.uint8], separator: int) -> npt.NDArray[np.bool_]:
    boundary = np.zeros(256, dtype=np.bool_)
    boundary[[separator, ord("\n"), ord("\r")]] = True
    found: npt.NDArray[np.bool_] = boundary[text]
    return found
