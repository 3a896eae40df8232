"""Find out how a table is written; what is guessed is said."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import replace
from typing import BinaryIO, NamedTuple

from .chunk import Opening
from .dialect import Dialect
from .encodings import EncodingGuess, encodings, marked
from .reader import opened
from .shape import (
    HEAD_BYTES,
    NAMES,
    SeparatorGuess,
    first_rows,
    looks_like_data,
    separators,
    stray_quotes,
)
from .spreadsheet import sheet_names
from .table_file import DELIMITERS, JSON, SPREADSHEETS, TEXT, TableFile

BLOCK = 1 << 20
SURE = 0.9
"""Share of the first rows that must have as many fields as the header."""


class Detected(NamedTuple):
    """How a table is written.

    Attributes:
        dialect: the settings that are necessary to read it.
        encodings: the encodings that it may have, the likeliest first; only one if it is certain.
        separators: the separators that give two columns or more, the likeliest first.
        doubts: setting that was guessed -> why.
    """

    dialect: Dialect
    encodings: list[EncodingGuess]
    separators: list[SeparatorGuess]
    doubts: Mapping[str, str]


def detect(file: TableFile, given: Dialect = Dialect()) -> Detected:  # noqa: B008 (frozen)
    """Look at the encoding of the whole file, and at its first rows; keep the given settings.

    Raises:
        SourceError: the file cannot be read or unpacked, or has an unknown extension.
    """
    with opened(file, given) as opening:
        if opening.suffix not in (*DELIMITERS, *JSON, TEXT):
            return Detected(given, [], [], {})
        guesses = _encodings(opening.file) if given.encoding is None else []
        text = _head(opening.file, given.encoding or (guesses[0].encoding if guesses else "utf-8"))
        dialect = given
        if guesses and not _reads_alone(opening, guesses[0].encoding):
            dialect = replace(dialect, encoding=guesses[0].encoding)
        if opening.suffix in JSON:
            return Detected(dialect, guesses, [], {})
        return _delimited(opening, dialect, guesses, text)


def sheets(file: TableFile) -> list[str]:
    """Return the names of a spreadsheet's sheets that are not empty; none for other formats.

    Raises:
        SourceError: the file cannot be read or unpacked, or has an unknown extension.
    """
    with opened(file) as opening:
        return sheet_names(opening.file) if opening.suffix in SPREADSHEETS else []


def _encodings(file: BinaryIO) -> list[EncodingGuess]:
    """Return the guesses for the first block that is not UTF-8."""
    file.seek(0)
    first = file.read(BLOCK)
    guesses = encodings(first)
    if not guesses or guesses[0].encoding != "utf-8":
        return guesses
    decoder, block = codecs.getincrementaldecoder("utf-8")(), first
    while block:
        try:
            decoder.decode(block)
        except UnicodeDecodeError:
            return encodings(block[block.find(b"\n") + 1 :])
        block = file.read(BLOCK)
    return guesses


def _reads_alone(opening: Opening, encoding: str) -> bool:
    """Return whether the reader needs no setting: the file is UTF-8, or has a byte-order mark."""
    opening.file.seek(0)
    return encoding == "utf-8" or marked(opening.file.read(4)) == encoding


def _head(file: BinaryIO, encoding: str) -> str:
    file.seek(0)
    data = file.read(HEAD_BYTES)
    text = codecs.decode(data, encoding, "replace").removeprefix("\ufeff")
    if len(data) < HEAD_BYTES:
        return text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text


def _delimited(
    opening: Opening, dialect: Dialect, guesses: list[EncodingGuess], text: str
) -> Detected:
    doubts: dict[str, str] = {}
    found = [guess for guess in separators(text) if guess.agree > SURE]
    usual = DELIMITERS.get(opening.suffix)
    separator = dialect.delimiter or usual
    if dialect.separator is None and found and found[0].separator != usual:
        separator = found[0].separator
        dialect = replace(dialect, separator="tab" if separator == "\t" else separator)
        if usual and any(guess.separator == usual for guess in found):
            doubts["separator"] = (
                f"the columns are separated by {NAMES[separator]}s; {NAMES[usual]}s, which "
                "are usual for the name of the file, would fit as well"
            )
    if separator is None:  # a text a line
        return Detected(dialect, guesses, found, doubts)
    if not dialect.plain_quotes and (reason := stray_quotes(text, separator)):
        dialect = replace(dialect, plain_quotes=True)
        doubts["plain_quotes"] = f"a double quote is taken as a character like others: {reason}"
    rows = first_rows(text, separator, plain_quotes=dialect.plain_quotes)
    if not dialect.no_header and rows and (reason := looks_like_data(rows[0], rows[1:])):
        dialect = replace(dialect, no_header=True)
        doubts["no_header"] = f"the first row is taken as data, not as names: {reason}"
    return Detected(dialect, guesses, found, doubts)
