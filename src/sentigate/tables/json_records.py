"""JSON: an object a line, or an array of objects; both are read as a stream."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from sentigate.errors import SourceError, shorten

from . import chunk
from .chunk import Chunk, Opening, Part, Record, RecordChunk, require_columns
from .text import text_of, utf8_blocks

BLOCK_CHARACTERS = 1 << 20
LONGEST_OBJECT = 64 << 20
"""An object of an array may have so many characters, so that memory stays small."""
AS_IN = '{"text": "...", "sentiment": "..."}'
BLANK = re.compile(r"[ \t\r\n]*")
Rows = Iterator[tuple[int, Record]]


def open_json(opening: Opening) -> Part:
    """Read objects; values have their JSON type, and a missing key is a missing value.

    The columns are the keys of all objects. If none are wanted, the file is read once more to
    find them.
    """
    begin = _first_character(opening)
    if not begin:
        raise SourceError(f"{opening.origin} is empty")
    unit: Literal["row", "line"] = "line"
    rows = _lines
    if opening.suffix == ".json" and begin == "[":
        unit, rows = "row", _array
    names = opening.wanted
    if names is None:
        names = list(dict.fromkeys(name for _, record in rows(opening) for name in record))
    return Part(list(names), _chunks(opening, rows(opening), unit), list(names))


def _chunks(opening: Opening, rows: Rows, unit: Literal["row", "line"]) -> Iterator[Chunk]:
    keys: dict[str, None] = {}
    while some := list(islice(rows, chunk.CHUNK)):
        places, records = zip(*some, strict=True)
        for record in records if opening.wanted else ():
            keys.update(dict.fromkeys(record))
        yield RecordChunk(opening.origin, unit, places, list(records))
    if opening.wanted:
        require_columns(opening.wanted, list(keys), opening.origin)


def _first_character(opening: Opening) -> str:
    with text_of(utf8_blocks(opening)) as text:
        while data := text.read(BLOCK_CHARACTERS):
            if data := data.lstrip():
                return data[0]
    return ""


def _lines(opening: Opening) -> Rows:
    """Yield the line number and the object of each line that is not blank."""
    text = text_of(utf8_blocks(opening))
    text.reconfigure(newline="\n")  # a JSON string may contain U+2028 and similar characters
    for number, line in enumerate(text, 1):
        line = line.removesuffix("\n")
        if line.strip():
            yield number, _json_object(line, number, opening)


def _json_object(line: str, number: int, opening: Opening) -> Record:
    place = f"{opening.origin}: line {number:,}"
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{place} is not JSON: {error.msg} at character {error.pos + 1:,}{_if_whole(opening)}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{place} is not JSON: {shorten(str(error))}") from None
    return _checked(record, line, place, "each line")


def _if_whole(opening: Opening) -> str:
    """Return what is allowed in a .json file, whose lines need not be objects."""
    if opening.suffix != ".json":
        return ""
    return f"; allowed in .json: an object a line, or an array of objects, as in [{AS_IN}]"


def _checked(record: object, source: str, place: str, each: str) -> Record:
    if not isinstance(record, dict):
        raise SourceError(
            f"{place} is {shorten(record)}; {each} must be a JSON object, as in {AS_IN}"
        )
    if "\\u" in source:
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise SourceError(
                f"{place} has half a surrogate pair (\\ud800 to \\udfff), which is not a character"
            ) from None
    return record


def _array(opening: Opening) -> Rows:
    """Yield the number and the object of each element of an array."""
    text = _Window(text_of(utf8_blocks(opening)))
    text.skip_blank()
    text.take("[")
    text.skip_blank()
    number = 0
    while not text.take("]"):
        number += 1
        place = f"{opening.origin}: row {number:,}"
        if number > 1:
            if not text.take(","):
                raise SourceError(f"{place} is not JSON: expected a comma or ] before it")
            text.skip_blank()
        record, source = text.value(place)
        yield number, _checked(record, source, place, "each element")
        text.skip_blank()
    text.skip_blank()
    if rest := text.rest():
        raise SourceError(f"{opening.origin} goes on after its array: {shorten(rest)}")


class _Window:
    """A part of a text that moves to its end."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.buffer, self.ended = text, "", False
        self.decoder = json.JSONDecoder()
        self.start = 0

    def _more(self, size: int) -> None:
        data = self.text.read(size)
        self.ended = not data
        self.buffer = self.buffer[self.start :] + data
        self.start = 0

    def skip_blank(self) -> None:
        while True:
            found = BLANK.match(self.buffer, self.start)
            self.start = found.end() if found else self.start
            if self.start < len(self.buffer) or self.ended:
                return
            self._more(BLOCK_CHARACTERS)

    def take(self, character: str) -> bool:
        """Return whether the next character is this one, and move after it."""
        if not self.buffer.startswith(character, self.start):
            return False
        self.start += 1
        return True

    def rest(self) -> str:
        """Return up to 40 of the next characters."""
        return self.buffer[self.start : self.start + 40]

    def value(self, place: str) -> tuple[Any, str]:
        """Return the next value and its text.

        Raises:
            SourceError: it is not JSON, or too long.
        """
        while True:
            reason, at = "", 0
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.start)
            except json.JSONDecodeError as error:
                reason, at = error.msg, error.pos - self.start
            except (ValueError, RecursionError) as error:
                raise SourceError(f"{place} is not JSON: {shorten(str(error))}") from None
            else:
                if end < len(self.buffer) or self.ended:
                    source = self.buffer[self.start : end]
                    self.start = end
                    return value, source
            size = len(self.buffer) - self.start
            # An error far from the end is no matter of what follows, except an open string.
            far = reason and at + 20 < size and not reason.startswith("Unterminated")
            if self.ended or far:
                reason = reason or "it has no end"
                raise SourceError(f"{place} is not JSON: {reason} at its character {at + 1:,}")
            if size > LONGEST_OBJECT:
                raise SourceError(
                    f"{place} has more than {LONGEST_OBJECT:,} characters; is a quote or a bracket "
                    "not closed?"
                )
            self._more(max(size, BLOCK_CHARACTERS))
