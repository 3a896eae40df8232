"""Text of any encoding as a stream of valid UTF-8."""

from __future__ import annotations

import codecs
import io
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.errors import SourceError, shorten

from .chunk import Opening
from .dialect import Writing
from .encodings import SAMPLE_BYTES, EncodingGuess, encodings, marked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 4 << 20
SNIFFED_BYTES = 64 << 10
"""If a file is not UTF-8, this much of it shows whether it is text at all."""
SEARCHED_BYTES = 64 << 20
"""An error about the encoding shows lines of this much of the file, after the wrong byte."""


def utf8_blocks(opening: Opening) -> Iterator[bytes]:
    """Yield the file as UTF-8, in blocks of whole characters, without a byte-order mark.

    Raises:
        SourceError: the file is not in its encoding, or has a NUL character; the message names
            the line, and for a wrong encoding what to write.
    """
    encoding = encoding_of(opening)
    try:
        for block in _blocks(opening.file, encoding):
            if (place := block.find(b"\0")) >= 0:
                raise _binary(opening, _line(opening, encoding, block[:place]))
            yield block
    except UnicodeDecodeError as error:
        position = opening.file.tell() - len(error.object) + error.start
        opening.file.seek(0)
        if opening.dialect.encoding is None and _is_binary(opening.file.read(SNIFFED_BYTES)):
            raise _binary(opening, _line_of_nul(opening.file)) from None
        raise _wrong_encoding(opening, encoding, error, position) from None


def text_of(blocks: Iterable[bytes]) -> io.TextIOWrapper:
    """Return blocks of UTF-8 as a text file; the ends of its lines are as they are in the file."""
    stream = io.BufferedReader(_Stream(blocks))
    return io.TextIOWrapper(stream, encoding="utf-8", newline="")


def encoding_of(opening: Opening) -> str:
    """Return the declared encoding, or else that of the byte-order mark, or else UTF-8.

    Raises:
        SourceError: another encoding is declared for a file that is UTF-8 and says so by its mark.
    """
    opening.file.seek(0)
    begin = opening.file.read(BLOCK_BYTES)
    declared, mark = opening.dialect.encoding, marked(begin)
    encoding = codecs.lookup(declared or mark or "utf-8").name.removesuffix("-sig")
    if declared is None or mark != "utf-8" or encoding == "utf-8":
        return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(begin)
    except UnicodeDecodeError:
        return encoding
    raise SourceError(
        f"{opening.origin} begins with the byte-order mark of UTF-8, and is UTF-8; its encoding is "
        f"declared as {shorten(declared)}. {opening.writing.lines(('encoding', 'utf-8'))}"
    )


def _is_binary(data: bytes) -> bool:
    """Return whether NUL bytes are at even and at odd places; UTF-16 has them at one of the two."""
    return b"\0" in data[::2] and b"\0" in data[1::2]


def _line_of_nul(file: BinaryIO) -> int:
    file.seek(0)
    count = _LineCount()
    while block := file.read(BLOCK_BYTES):
        before, nul, _ = block.partition(b"\0")
        count.add(before)
        if nul:
            break
    return count.line


def _binary(opening: Opening, line: int) -> SourceError:
    return SourceError(
        f"{opening.origin}: line {line:,} has a NUL byte, so the file is binary or damaged; "
        "allowed: text"
    )


class _Stream(io.RawIOBase):
    """A file of blocks."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.blocks, self.rest = iter(blocks), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer).cast("B")
        while not self.rest and (block := next(self.blocks, None)) is not None:
            self.rest = memoryview(block)
        size = min(len(room), len(self.rest))
        room[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size


def _blocks(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    file.seek(0)
    marked_utf8 = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    file.seek(len(codecs.BOM_UTF8) if marked_utf8 else 0)
    if encoding == "utf-8":
        yield from _utf8(file)
    else:
        yield from _transcoded(file, encoding)


def _utf8(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes as they are; Arrow checks them faster than Python decodes them."""
    rest = b""
    while data := rest + file.read(BLOCK_BYTES):
        if data == rest:
            data.decode()  # the file ends in a character
        cut = len(data) - _unfinished(data)
        whole, rest = data[:cut], data[cut:]
        if not _is_utf8(whole):
            data.decode()
        if whole:
            yield whole


def _unfinished(data: bytes) -> int:
    """Return the number of bytes at the end that begin a character without ending it."""
    for count, byte in enumerate(reversed(data[-3:]), 1):
        if byte >= 0xC0:
            return count if count < 2 + (byte >= 0xE0) + (byte >= 0xF0) else 0
        if byte < 0x80:
            return 0
    return 0


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    buffers = [None, pa.py_buffer(struct.pack("<qq", 0, len(data))), pa.py_buffer(data)]
    try:
        pa.Array.from_buffers(pa.large_binary(), 1, buffers).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _transcoded(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    first, data = True, b"?"
    while data:
        data = file.read(BLOCK_BYTES)
        text = decoder.decode(data, final=not data)
        if text:
            # With a declared byte order, such as utf-16-le, the decoder keeps the mark.
            yield (text.removeprefix("\ufeff") if first else text).encode()
            first = False


def line_at(opening: Opening, offset: int) -> int:
    """Return the number of the line that has the byte ``offset`` of the text in UTF-8."""
    count = _LineCount()
    for block in _blocks(opening.file, encoding_of(opening)):
        count.add(block[:offset])
        offset -= len(block)
        if offset <= 0:
            break
    return count.line


def _line(opening: Opening, encoding: str, last: bytes) -> int:
    """Return the number of the line at the end of ``last``, the start of the block with a NUL."""
    count = _LineCount()
    for block in _blocks(opening.file, encoding):
        if b"\0" in block:
            break
        count.add(block)
    return count.add(last)


class _LineCount:
    """The number of the line at the end of all blocks so far; lines end in LF, CR or both."""

    def __init__(self) -> None:
        self.line, self.after_return = 1, False

    def add(self, block: bytes) -> int:
        data = (b"\r" if self.after_return else b"") + block
        ends = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
        self.line += ends - self.after_return
        self.after_return = data.endswith(b"\r")
        return self.line


def _line_of_byte(file: BinaryIO, encoding: str, position: int) -> int:
    decoder, count = codecs.getincrementaldecoder(encoding)(), _LineCount()
    file.seek(0)
    while position > 0 and (data := file.read(min(BLOCK_BYTES, position))):
        position -= len(data)
        count.add(decoder.decode(data).encode())
    return count.line


def _wrong_encoding(
    opening: Opening, encoding: str, error: UnicodeDecodeError, position: int
) -> SourceError:
    file, declared = opening.file, opening.dialect.encoding
    name = "UTF-8" if encoding == "utf-8" else declared or encoding
    line = _line_of_byte(file, encoding, position)
    said = (
        f"{opening.origin}: line {line:,} is not {name}: byte 0x{error.object[error.start]:02X} at "
        f"offset {position:,}"
    )
    guesses = [guess for guess in encodings(_beyond_ascii(file)) if guess.encoding != encoding]
    if not guesses:
        return SourceError(f"{said}; no known encoding fits, so the file is binary or damaged")
    return SourceError(f"{said}. {advice(guesses, opening.writing)}")


def advice(guesses: list[EncodingGuess], writing: Writing) -> str:
    """Return the lines to write for each encoding, and what it would read."""
    lines = [
        f"{writing.where} the encoding whose lines read well; odd is the share of unlikely "
        "characters among those beyond ASCII:"
    ]
    for guess in guesses:
        same = f"; the same text as {', '.join(guess.same)}" if guess.same else ""
        lines.append(f"  {writing.line('encoding', guess.encoding)}")
        lines.append(f"    # {guess.odd:.0%} odd{same}:")
        lines += [f"    #   {line}" for line in guess.lines]
    return "\n".join(lines)


def _beyond_ascii(file: BinaryIO) -> bytes:
    """Return the first bytes of the file, and its lines beyond ASCII; whole for small files."""
    file.seek(0)
    data = file.read(4096)
    file.seek(0)
    if data.count(0) * 6 > len(data):
        return data  # UTF-16 without a mark
    kept, size, searched = [], 0, 0
    for line in iter(lambda: file.readline(1 << 20), b""):
        searched += len(line)
        if not line.isascii():
            kept.append(line)
            size += len(line)
        if size > SAMPLE_BYTES or (kept and searched > SEARCHED_BYTES):
            break
    return b"".join(kept)
