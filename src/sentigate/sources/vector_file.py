"""Read word vectors from the user's file, in the text format of GloVe or word2vec."""

from __future__ import annotations

import os
from array import array
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

import numpy as np

from sentigate.data.word_vectors import VectorTable
from sentigate.errors import SourceError, shorten
from sentigate.settings.vectors import FileVectors
from sentigate.tables.compression import UNPACKERS, unpack

from .own_file import find


class _Header(NamedTuple):
    words: int
    numbers: int


def read(source: FileVectors, cache: Path) -> VectorTable:
    """Read the words and their vectors, in the order of the file: most common words first.

    Each line is a word and its numbers, separated by single spaces or tabs. In word2vec's format,
    the first line has the number of words and the length of a vector.

    Raises:
        SourceError: the file does not exist, has another hash, or has a line that is not a word
            with as many numbers as the other lines; the message names the line.
    """
    found = find(source.path, source.sha256, cache)
    compression = PurePath(found.name).suffix.lower()
    with found.path.open("rb") as packed:
        if not os.fstat(packed.fileno()).st_size:
            raise SourceError(f"{found.origin} is empty")
        compression = compression if compression in UNPACKERS else ""
        with unpack(packed, compression, found.origin) as file:
            return _parse(file, found.origin)


def _parse(file: BinaryIO, origin: str) -> VectorTable:
    words: list[str] = []
    values = array("f")
    header: _Header | None = None
    size = 0
    # Lines end only at line feeds: a word may be any other line separator.
    for number, line in enumerate(file, 1):
        text = _decoded(line, origin, number)
        if number == 1 and (header := _header(text)):
            size = header.numbers
            continue
        fields = text.replace("\t", " ").rsplit(" ", size) if size else text.split()
        size = size or len(fields) - 1
        if size < 1 or len(fields) != size + 1 or not fields[0]:
            wanted = f"{size} numbers" if size > 0 else "numbers"
            raise SourceError(
                f"{origin}: line {number:,} is {shorten(text)}; expected a word and {wanted}, "
                "separated by spaces"
            )
        try:
            numbers = array("f", map(float, fields[1:]))
        except ValueError as error:
            raise SourceError(
                f"{origin}: line {number:,}, word {shorten(fields[0])}: {error}; "
                f"expected {size} numbers"
            ) from None
        if not np.isfinite(numbers).all():
            raise SourceError(
                f"{origin}: line {number:,}, word {shorten(fields[0])}: a number is not finite"
            )
        words.append(fields[0])
        values.extend(numbers)
    if header and header.words != len(words):
        raise SourceError(
            f"{origin}: line 1 announces {header.words:,} words, but the file has {len(words):,}"
        )
    if not words:
        raise SourceError(f"{origin} has no words")
    return VectorTable(words, np.frombuffer(values, dtype=np.float32).reshape(len(words), size))


def _decoded(line: bytes, origin: str, number: int) -> str:
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise SourceError(f"{origin}: line {number:,} is not UTF-8: {error.reason}") from None


def _header(text: str) -> _Header | None:
    """Parse word2vec's first line; return None if the line is a word and its vector."""
    fields = text.split()
    if len(fields) != 2 or not all(field.isdecimal() and field.isascii() for field in fields):
        return None
    return _Header(int(fields[0]), int(fields[1]))
