"""Guess the separator, the header and the quotes of delimited text from its first rows."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Literal, NamedTuple

from sentigate.errors import shorten

from .chunk import Opening, listed
from .encodings import marked

SEPARATORS = (",", ";", "\t", "|")
HEAD_BYTES, HEAD_ROWS = 1 << 18, 200
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?%?")
DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T]\d{1,2}:\d{2}.*)?")
WORDS = 5
"""A name of a column has fewer words than this."""
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


class SeparatorGuess(NamedTuple):
    """A separator, and the columns it would give.

    Attributes:
        separator: one character.
        names: fields of the first row.
        fields: number of fields in most of the first rows.
        agree: share of the first rows with this number.
    """

    separator: str
    names: list[str]
    fields: int
    agree: float


def separators(text: str) -> list[SeparatorGuess]:
    """Return the separators that give two columns or more, the likeliest first."""
    guesses = []
    for separator in SEPARATORS:
        rows = first_rows(text, separator)
        counts = Counter(map(len, rows))
        if not counts:
            continue
        fields, times = max(counts.items(), key=lambda item: (item[1], item[0]))
        if fields > 1:
            guesses.append(SeparatorGuess(separator, rows[0], fields, times / len(rows)))
    # A comma in a text makes some rows longer: rows that agree count more than many columns.
    return sorted(guesses, key=lambda guess: (-(guess.agree * (len(guess.names) == guess.fields)),
                                              -guess.fields))  # fmt: skip


def first_rows(text: str, separator: str, *, plain_quotes: bool = False) -> list[list[str]]:
    """Return the first rows of a text, however it is quoted; blank lines do not count."""
    quoting: Literal[0, 3] = csv.QUOTE_NONE if plain_quotes else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
    rows: list[list[str]] = []
    try:
        for row in islice(reader, 2 * HEAD_ROWS):
            rows += [row] if row else []
    except csv.Error:  # a value over csv's limit, because of a quote that is not closed
        pass
    return rows[:HEAD_ROWS]


def looks_like_data(first: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return why the first row seems to be data, not names of columns; "" if it does not.

    Args:
        first: fields of the first row.
        rows: some of the rows after it.
    """
    for number, field in enumerate(first):
        value = field.strip()
        if NUMBER.fullmatch(value):
            return f"{shorten(field, 40)} is a number"
        if DATE.fullmatch(value):
            return f"{shorten(field, 40)} is a date"
        if len(value.split()) >= WORDS:
            return f"{shorten(field, 40)} has {len(value.split())} words"
        below = [row[number].strip() for row in rows if len(row) == len(first)]
        if value and below.count(value) > 1 and len(set(below)) < len(below):
            return f"{shorten(field, 40)} is also a value of rows below"
    return ""


def stray_quotes(text: str, separator: str) -> str:
    """Return why a double quote seems to be only a character; "" if it does not."""
    if '"' not in text:
        return ""
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [row for row in islice(reader, HEAD_ROWS) if row]
    except csv.Error as error:
        if "unexpected end of data" not in str(error):
            return f"a value in quotes goes on after its closing quote (line {reader.line_num:,})"
        return f"a quote is not closed (it is open at line {reader.line_num:,})"
    plain = first_rows(text, separator, plain_quotes=True)
    if len({len(row) for row in plain[: len(rows)]}) > 1 or not rows:
        return ""
    for row in rows:
        if any("\n" in value and separator in value for value in row):
            return "a value in quotes holds several lines, each of which has all columns"
    return ""


def missing_hint(opening: Opening, names: Sequence[str], separator: str) -> str:
    """Return what to write if ``names`` are not in the header; "" for no advice.

    Args:
        opening: the file; its position does not change.
        names: the columns that are wanted.
        separator: the separator that was used; "" for lines of plain text.
    """
    text, writing = head(opening), opening.writing
    for other in SEPARATORS:
        rows = first_rows(text, other) if other != separator else []
        if rows and set(names) <= set(rows[0]):
            reading = f". Separated by {NAMES[other]}s, its first row has {listed(rows[0])}. "
            return reading + writing.lines(("separator", other))
    if opening.dialect.no_header:
        return ""
    settings: list[tuple[str, object]] = [("no_header", True)]
    rows = (
        first_rows(text, separator, plain_quotes=opening.dialect.plain_quotes) if separator else []
    )
    if not rows or len(rows[0]) < 2:
        guess = next((guess for guess in separators(text) if guess.agree > 0.9), None)
        if guess is not None:
            rows = first_rows(text, guess.separator)
            settings.insert(0, ("separator", guess.separator))
    reason = looks_like_data(rows[0], rows[1:]) if rows else ""
    if not reason:
        return ""
    numbers = listed([str(number + 1) for number in range(len(rows[0]))])
    return (
        f". Its first row looks like data, because {reason}. If it has no header, its columns are "
        f"named {numbers}. {writing.lines(*settings)}"
    )


def head(opening: Opening) -> str:
    """Return the beginning of the file, up to the end of a line; its position does not change."""
    data = os.pread(opening.file.fileno(), HEAD_BYTES, 0)
    encoding = opening.dialect.encoding or marked(data) or "utf-8"
    text = codecs.decode(data, encoding, "replace").removeprefix("\ufeff")
    if len(data) < HEAD_BYTES:
        return text
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
