"""Word vectors: look them up, join them for the entries of a vocabulary, read and write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.text.context import is_context

from .negations import is_negation
from .stage_files import damaged, reading

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
TRAINED_ENTRIES = "trained_entries"
"""The only key in the file's metadata: safetensors would write several in random order."""


class VectorPart(Protocol):
    """The vectors of one entry of ``vectors:``, which are a part of each word's vector."""

    @property
    def words(self) -> Sequence[str]:
        """The listed words, the most common first; empty if the part computes vectors."""

    def look_up(self, tokens: Sequence[str]) -> Floats:
        """Return (N, D) float32 for N tokens, scaled to a standard deviation of 1.

        A token without a vector gets zeros.
        """


class VectorTable(NamedTuple):
    """A part published as a table.

    Attributes:
        words: N words, the most common first; if a word is repeated, its first vector counts.
        values: (N, D) float32, the vector of each word, not scaled.
    """

    words: Sequence[str]
    values: Floats

    def look_up(self, tokens: Sequence[str]) -> Floats:
        """Return the vector of each token, or of its lower case, or zeros.

        Returns:
            (tokens, D) float32, divided by the standard deviation of all numbers of the table.
        """
        rows: dict[str, int] = {}
        for row, word in enumerate(self.words):
            rows.setdefault(word, row)
        values = np.zeros((len(tokens), self.values.shape[1]), dtype=np.float32)
        for number, token in enumerate(tokens):
            found = rows.get(token, rows.get(token.lower()))
            if found is not None:
                values[number] = self.values[found]
        return values / np.float32(self.values.std(dtype=np.float64))


class WordVectors(NamedTuple):
    """The vectors of a vocabulary's entries.

    Attributes:
        values: (V, D) float16; row i is the vector of id i, its parts side by side, with zeros
            where a part has no vector. (V, 0) without vectors.
        trained_entries: Number of leading ids that are padding, unknown or from the training
            texts; the other ids are words that only the vectors have.
        widths: Number of columns of each part, from left to right; () means one part.
    """

    values: Halves
    trained_entries: int
    widths: tuple[int, ...] = ()


def join_vectors(
    tokens: Sequence[str], trained_entries: int, parts: Mapping[str, VectorPart]
) -> WordVectors:
    """Join the vectors of a vocabulary's entries; padding, unknown and contexts get zeros.

    Args:
        tokens: V tokens in the order of ids: padding, unknown, contexts, words.
        trained_entries: As in WordVectors.
        parts: Name -> part, from left to right.
    """
    first = 2 + sum(map(is_context, tokens))
    found = [part.look_up(tokens[first:]) for part in parts.values()]
    widths = tuple(values.shape[1] for values in found)
    joined = np.zeros((len(tokens), sum(widths)), dtype=np.float16)
    with np.errstate(over="ignore"):  # the gate refuses numbers too large for float16
        empty = np.zeros((len(tokens) - first, 0), np.float32)
        joined[first:] = np.concatenate([empty, *found], axis=1)
    return WordVectors(joined, trained_entries, widths)


def words_outside(
    tokenizer: Tokenizer, words: Iterable[str], clean: Callable[[str], str]
) -> Iterator[str]:
    """Yield the ``words`` that are no entry and that can be one token of a cleaned text.

    Args:
        tokenizer: A tokenizer of level word or glove.
        words: The words of the vectors, in their order.
        clean: The data set's cleaning; no text has a word that it changes.
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
    """Write a safetensors file: ``vectors``, ``widths``, and in its metadata ``trained_entries``.

    Raises:
        OSError: the file cannot be written.
    """
    from safetensors.numpy import save

    tensors: dict[str, npt.NDArray[Any]] = {
        "vectors": np.ascontiguousarray(vectors.values, dtype=np.float16),
        "widths": np.array(vectors.widths or vectors.values.shape[1:], dtype=np.int64),
    }
    path.write_bytes(save(tensors, metadata={TRAINED_ENTRIES: str(vectors.trained_entries)}))


def read_vectors(path: Path) -> WordVectors:
    """Read the vectors of a vocabulary's entries.

    Raises:
        DataError: the file is damaged or of another kind.
    """
    from safetensors import safe_open

    with reading(path), safe_open(path, framework="numpy") as file:
        values = file.get_tensor("vectors")
        trained = int(file.metadata()[TRAINED_ENTRIES])
        widths = tuple(file.get_tensor("widths").tolist())
        if (
            values.ndim != 2
            or values.dtype != np.float16
            or not 2 <= trained <= len(values)
            or sum(widths) != values.shape[1]
        ):
            shape = f"{values.dtype} of shape {values.shape}"
            raise damaged(path, f"{shape}, {trained} entries, widths {list(widths)}")
    return WordVectors(values, trained, widths)


def vector_checks(vectors: WordVectors) -> pd.DataFrame:
    """Compute the columns that the gate checks.

    Returns:
        A row for each id: has_vector (bool, whether every part has a vector) and not_finite (int,
        how many numbers are NaN or infinite).
    """
    values = vectors.values
    widths = vectors.widths or (values.shape[1],)
    parts = np.split(values, np.cumsum(widths)[:-1], axis=1)
    has = np.stack([part.any(axis=1) for part in parts]).all(axis=0)
    return pd.DataFrame({"has_vector": has, "not_finite": (~np.isfinite(values)).sum(axis=1)})


def token_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Compute each entry's share of the training tokens, 0 if a part lacks its vector.

    Args:
        table: Columns token, count, known_share and has_vector.

    Returns:
        vector_share (float, share of all tokens) and negation_share (float, share of all
        negations).
    """
    # A context needs no vector: the network learns one.
    has = table["has_vector"].eq(True) | table["token"].map(is_context)
    negations = table["count"].where(table["token"].map(is_negation), 0)
    shares = negations / max(1, negations.sum())
    return pd.DataFrame(
        {
            "vector_share": table["known_share"].where(has, 0.0),
            "negation_share": shares.where(has, 0.0),
        }
    )
