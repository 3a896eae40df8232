"""Encodings that a file may have: each with the lines it would read, and how odd they look."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

CANDIDATES = (
    *("cp1252", "latin-1", "cp1250", "cp1251", "koi8-r", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("iso8859-2", "iso8859-15", "mac_roman", "cp437", "cp850", "cp866"),
    *("shift_jis", "euc_kr", "euc_jp", "big5", "gb18030"),
)
"""Encodings that are tried: of two that look alike, the earlier one is the better guess."""
SHOWN = 4
LINES, WIDTH = 3, 60
SAMPLE_BYTES = 200_000
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order mark -> encoding; UTF-32 comes first, because its mark begins with that of UTF-16."""


class EncodingGuess(NamedTuple):
    """An encoding, and what it would read.

    Attributes:
        encoding: the name to write.
        same: other encodings that read the same text.
        odd: share of the characters beyond ASCII that look odd, from 0 to 1.
        lines: up to three lines with characters beyond ASCII.
    """

    encoding: str
    same: tuple[str, ...]
    odd: float
    lines: tuple[str, ...]


def marked(data: bytes) -> str | None:
    """Return the encoding whose byte-order mark ``data`` begins with."""
    return next((name for mark, name in MARKS.items() if data.startswith(mark)), None)


def encodings(data: bytes) -> list[EncodingGuess]:
    """Return the encodings that can read ``data``, the likeliest first.

    UTF-8, or a byte-order mark with text that fits it, is the only answer. Any other answer is a
    guess: encodings with one byte a character read almost any file.
    """
    sure = marked(data) or "utf-8"
    for zeros, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if not marked(data) and _looks_like_utf16(data, zeros):
            sure = encoding
    try:
        text = codecs.getincrementaldecoder(sure)().decode(data)  # the end may be half a character
    except UnicodeError:
        sample = _sample(data.removeprefix(codecs.BOM_UTF8))
    else:
        return [EncodingGuess(sure, (), 0.0, tuple(_cut(line) for line in _shown(text)))]
    names = [*CANDIDATES, *_guessed(sample)]
    read = {name: read for name in dict.fromkeys(names) if (read := _decoded(sample, name))}
    alike: dict[str, list[str]] = {}
    for name, text in read.items():
        alike.setdefault(text, []).append(name)
    ranked = sorted(alike, key=lambda text: round(odd_share(text), 2))  # stable: CANDIDATES' order
    numbers = _line_numbers(read[alike[ranked[0]][0]]) if ranked else []
    guesses = []
    for text in ranked[:SHOWN]:
        first, *same = alike[text]
        lines = text.splitlines()
        shown = tuple(_cut(lines[number]) for number in numbers if number < len(lines))
        guesses.append(EncodingGuess(first, tuple(same), odd_share(text), shown))
    return guesses


def odd_share(text: str) -> float:
    """Return the share of characters beyond ASCII that people rarely write at their place.

    These are control characters, unassigned and box-drawing characters; symbols between two
    letters; letters in a word of several scripts; a capital letter after a small one; words of
    three Latin letters or more that are all accented; and rare Chinese characters.
    """
    beyond = sum(not char.isascii() for char in text)
    odd = sum(not text[place].isascii() for place in _odd_places(text))
    return odd / beyond if beyond else 0.0


def _odd_places(text: str) -> Iterator[int]:
    for found in re.finditer(r"[^\x00-\x7f]", text):
        place, char = found.start(), found.group()
        around = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
        if _is_odd_anywhere(char) or (_is_symbol(char) and all(map(str.isalpha, around))):
            yield place
    for word in re.finditer(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*", text):
        odd = _odd_letters(word.group())
        yield from (word.start() + place for place in odd if not _is_odd_anywhere(word[0][place]))


def _odd_letters(word: str) -> set[int]:
    """Return the places of odd letters in a word that is not all ASCII."""
    scripts = [_script(char) for char in word]
    kinds = set(scripts)
    if len(kinds - {"HAN", "LATIN"}) + bool(kinds & {"HAN", "LATIN"}) > 1:
        return set(range(len(word)))
    if kinds == {"HAN", "LATIN"}:  # Chinese is written without spaces; one character is no word
        return {found.start() for found in re.finditer("h", _initials(scripts))} - _in_runs(scripts)
    if kinds == {"LATIN"} and len(word) > 2 and not any(char.isascii() for char in word):
        return set(range(len(word)))
    if word.isupper() or word.islower():
        return set()
    pairs = enumerate(pairwise(word))
    turns = [place for place, (one, two) in pairs if one.islower() and two.isupper()]
    return {place + after for place in turns for after in (0, 1)}


def _initials(scripts: list[str]) -> str:
    return "".join("h" if script == "HAN" else "l" for script in scripts)


def _in_runs(scripts: list[str]) -> set[int]:
    """Return the places of Chinese characters beside others."""
    runs = re.finditer("hh+", _initials(scripts))
    return {place for run in runs for place in range(*run.span())}


@cache
def _script(char: str) -> str:
    name = unicodedata.name(char, "").partition(" ")[0]
    return "HAN" if name in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name


@cache
def _is_odd_anywhere(char: str) -> bool:
    if unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") or char == "\ufffd":
        return True
    if "\u2500" <= char <= "\u259f" or "\uff61" <= char <= "\uff9f":  # boxes; half-width kana
        return True
    return unicodedata.name(char, "").startswith("CJK UNIFIED") and not _is_common(char)


def _is_common(char: str) -> bool:
    """Return whether a Chinese character is on the first level of a national standard."""
    levels = (("gb2312", 0xB0A1, 0xD7F9), ("big5", 0xA440, 0xC67E), ("shift_jis", 0x889F, 0x9872))
    for encoding, first, last in levels:
        try:
            code = int.from_bytes(char.encode(encoding), "big")
        except UnicodeEncodeError:
            continue
        if first <= code <= last:
            return True
    return False


@cache
def _is_symbol(char: str) -> bool:
    return unicodedata.category(char)[0] == "S" or unicodedata.category(char) == "No" or (
        char in "¿¡„‚«»"
    )  # fmt: skip


def _looks_like_utf16(data: bytes, zeros: int) -> bool:
    """Return whether a third of the bytes at odd (1) or even (0) places are zero."""
    half = data[zeros:4096:2]
    return len(half) > 8 and half.count(0) * 3 > len(half)


def _sample(data: bytes) -> bytes:
    """Return the lines with bytes beyond ASCII, up to SAMPLE_BYTES."""
    lines = data.replace(b"\r", b"\n").split(b"\n")
    if len(lines) > 2 and not data.endswith((b"\n", b"\r")):
        lines.pop()  # its end may be half a character
    kept, size = [], 0
    for line in lines:
        if not line.isascii():
            kept.append(line[:SAMPLE_BYTES])
            size += len(line)
        if size > SAMPLE_BYTES:
            break
    return b"\n".join(kept)


def _guessed(sample: bytes) -> list[str]:
    """Return charset-normalizer's guess, which is often wrong for short or English texts."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample[:20_000]).best()
    return [] if best is None else [best.encoding]


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return sample.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _line_numbers(text: str) -> list[int]:
    """Return the numbers of up to LINES lines that show much beyond ASCII."""
    lines = [_cut(line) for line in text.splitlines()]
    by_amount = sorted(range(len(lines)), key=lambda n: -_amount(lines[n]))
    seen: dict[str, int] = {}
    for number in by_amount:
        seen.setdefault(lines[number], number)
    return sorted(list(seen.values())[:LINES])


def _amount(line: str) -> int:
    return min(len({char for char in line if not char.isascii()}), 8)


def _shown(text: str) -> list[str]:
    lines = text.splitlines()
    return [lines[number] for number in _line_numbers(text) if not lines[number].isascii()]


def _cut(line: str) -> str:
    """Return up to WIDTH characters around the first one beyond ASCII, none of control."""
    found = re.search(r"[^\x00-\x7f]", line)
    start = max(found.start() - WIDTH // 3, 0) if found else 0
    shown = line[start : start + WIDTH].strip().replace("\t", " ")
    return "".join("\ufffd" if unicodedata.category(char) == "Cc" else char for char in shown)
