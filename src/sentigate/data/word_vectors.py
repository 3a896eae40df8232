"""Word vectors: a table of words, the vectors of a vocabulary's entries, and their file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from .stage_files import damaged, reading

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
ENTRIES = "trained_entries"
"""The key in the file's metadata."""


class VectorTable(NamedTuple):
    """Word vectors as they were published or trained.

    Attributes:
        words: N of them, the commonest first; of equal ones the first counts.
        values: (N, D) float32, the vector of each, not scaled.
    """

    words: Sequence[str]
    values: Floats


class WordVectors(NamedTuple):
    """What a vocabulary's entries start from.

    Attributes:
        values: (V, D) float32; row i is the vector of id i as it was given, not scaled, and zeros
            where there is none. (V, 0) without vectors.
        trained_entries: how many leading ids are padding, unknown and entries from the training
            texts; those after them are words of the vectors alone.
    """

    values: Floats
    trained_entries: int


NO_VECTORS = VectorTable((), np.zeros((0, 0), dtype=np.float32))


def vectors_of(tokens: Sequence[str], table: VectorTable) -> Floats:
    """The vector of each token: of its own case, or else of its lower case, or else zeros.

    Returns:
        (tokens, D) float32.
    """
    rows: dict[str, int] = {}
    for row, word in enumerate(table.words):
        rows.setdefault(word, row)
    values = np.zeros((len(tokens), table.values.shape[1]), dtype=np.float32)
    for token_id, token in enumerate(tokens):
        found = rows.get(token, rows.get(token.lower()))
        if found is not None:
            values[token_id] = table.values[found]
    return values


def words_outside(
    tokenizer: Tokenizer, words: Iterable[str], clean: Callable[[str], str]
) -> Iterator[str]:
    """Those ``words`` that are no entry and that a cleaned text can hold as one token.

    Args:
        tokenizer: of level word or treebank.
        words: of the vectors, in their order.
        clean: the data set's cleaning; a word that it changes is in no text.
    """
    known = set(tokenizer.get_vocab())
    for word in words:
        if word not in known and clean(word) == word and _is_one_token(tokenizer, word):
            known.add(word)
            yield word


def _is_one_token(tokenizer: Tokenizer, word: str) -> bool:
    if tokenizer.normalizer and tokenizer.normalizer.normalize_str(word) != word:
        return False
    pieces = tokenizer.pre_tokenizer.pre_tokenize_str(word)
    return [piece for piece, _ in pieces] == [word]


def write_vectors(path: Path, vectors: WordVectors) -> None:
    """Write a safetensors file: the tensor ``vectors`` and, in its metadata, ``trained_entries``.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors.numpy import save

    tensors = {"vectors": np.ascontiguousarray(vectors.values, dtype=np.float32)}
    path.write_bytes(save(tensors, metadata={ENTRIES: str(vectors.trained_entries)}))


def read_vectors(path: Path) -> WordVectors:
    """What ``write_vectors`` wrote.

    Raises:
        DataError: the file is damaged or of another kind.
    """
    from safetensors import safe_open

    with reading(path), safe_open(path, framework="numpy") as file:
        values = file.get_tensor("vectors")
        trained = int(file.metadata()[ENTRIES])
        if values.ndim != 2 or values.dtype != np.float32 or not 2 <= trained <= len(values):
            raise damaged(path, f"{values.dtype} of shape {values.shape}, {trained} entries")
    return WordVectors(values, trained)


def vector_checks(vectors: WordVectors) -> pd.DataFrame:
    """What the gate looks at in every entry.

    Returns:
        A row for each id: has_vector (bool) and not_finite (int, numbers that are NaN or infinite).
    """
    values = vectors.values
    finite = np.isfinite(values)
    return pd.DataFrame(
        {"has_vector": (values != 0).any(axis=1), "not_finite": (~finite).sum(axis=1)}
    )
