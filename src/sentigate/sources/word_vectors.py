"""Read the word vectors of params.yaml; each entry is a part of a word's vector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sentigate.data.word_vectors import VectorPart, VectorTable
from sentigate.errors import SourceError, shorten
from sentigate.progress import doing
from sentigate.settings.vectors import FileVectors, MiniLMVectors, PipVectors, VectorSource

from . import minilm_vectors, vector_file, wheel_vectors


def read_word_vectors(
    sources: Mapping[str, VectorSource], archives: Path, computed: Path, *, bfloat16: bool = False
) -> dict[str, VectorPart]:
    """Read the parts of a model's word vectors, by name and in the order of ``sources``.

    An archive comes from the folder in the environment variable SENTIGATE_MIRROR, or from
    ``archives``, or from the network.

    Args:
        sources: Name -> entry of ``vectors:``.
        archives: Folder for verified downloads; created if it is missing.
        computed: Folder for vectors computed by a language model; created if it is missing.
        bfloat16: Whether the language model multiplies in bfloat16.

    Raises:
        SourceError: vectors are not available, or are not the expected ones; one message names
            all these entries, and what to do.
    """
    parts: dict[str, VectorPart] = {}
    problems = []
    for name, source in sources.items():
        try:
            with doing(f"reading the word vectors {name}"):
                parts[name] = _read(source, archives, computed, bfloat16=bfloat16)
        except SourceError as error:
            problems.append(f"the word vectors {name} are not available: {error}")
    if problems:
        raise SourceError(
            f"{'; '.join(problems)}. Or train without them: vectors: [] in the model's vocab"
        )
    return parts


def _read(source: VectorSource, archives: Path, computed: Path, *, bfloat16: bool) -> VectorPart:
    match source:
        case PipVectors():
            return _checked(wheel_vectors.read(source, archives))
        case FileVectors():
            return _checked(vector_file.read(source, archives))
        case MiniLMVectors():
            return minilm_vectors.read(source, archives, computed, bfloat16=bfloat16)


def _checked(table: VectorTable) -> VectorTable:
    finite = np.isfinite(table.values).all(axis=1)
    if not finite.all():
        word = table.words[int(finite.argmin())]
        raise SourceError(f"the vector of {shorten(word)} has a number that is not finite")
    if not np.ptp(table.values):
        raise SourceError("all numbers of all vectors are equal")
    return table
