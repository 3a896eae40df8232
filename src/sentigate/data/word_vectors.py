"""Word vectors: where parts of them come from, those of a vocabulary's entries, and their file."""

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
"""The key in the file's metadata; safetensors writes several in another order each time."""


class VectorPart(Protocol):
    """Vectors of one entry of ``vectors:``."""

    @property
    def words(self) -> Sequence[str]:
        """The words that it lists, the commonest first; none where it computes any word's."""

    def look_up(self, tokens: Sequence[str]) -> Floats:
        """(N, D) float32 of N tokens, scaled to a standard deviation of 1; zeros: no vector."""


class VectorTable(NamedTuple):
    """A part that was published as a table.

    Attributes:
        words: N of them, the commonest first; of equal ones the first counts.
        values: (N, D) float32, the vector of each, not scaled.
    """

    words: Sequence[str]
    values: Floats

    def look_up(self, tokens: Sequence[str]) -> Floats:
        """The vector of each token: of its own case, or else of its lower case, or else zeros.

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
        values: (V, D) float16; row i is the vector of id i, its parts side by side, and zeros
            where a part has none. (V, 0) without vectors.
        trained_entries: how many leading ids are padding, unknown and entries from the training
            texts; those after them are words of the vectors alone.
        widths: how many numbers each part has, from left to right; () means one part.
    """

    values: Halves
    trained_entries: int
    widths: tuple[int, ...] = ()


def join_vectors(
    tokens: Sequence[str], trained_entries: int, parts: Mapping[str, VectorPart]
) -> WordVectors:
    """The vectors of a vocabulary's entries, which padding, unknown and contexts have none of.

    Args:
        tokens: V of them, by id: padding, unknown, contexts, words.
        trained_entries: as in WordVectors.
        parts: by their names, from left to right.
    """
    first = 2 + sum(map(is_context, tokens))
    found = [part.look_up(tokens[first:]) for part in parts.values()]
    widths = tuple(values.shape[1] for values in found)
    joined = np.zeros((len(tokens), sum(widths)), dtype=np.float16)
    with np.errstate(over="ignore"):  # the gate refuses what is too large
        empty = np.zeros((len(tokens) - first, 0), np.float32)
        joined[first:] = np.concatenate([empty, *found], axis=1)
    return WordVectors(joined, trained_entries, widths)


def words_outside(
    tokenizer: Tokenizer, words: Iterable[str], clean: Callable[[str], str]
) -> Iterator[str]:
    """Those ``words`` that are no entry and that a cleaned text can hold as one token.

    Args:
        tokenizer: of level word or glove.
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
    """Write a safetensors file: ``vectors``, ``widths``, and in its metadata ``trained_entries``.

    Raises:
        OSError: it cannot be written.
    """
    from safetensors.numpy import save

    tensors: dict[str, npt.NDArray[Any]] = {
        "vectors": np.ascontiguousarray(vectors.values, dtype=np.float16),
        "widths": np.array(vectors.widths or vectors.values.shape[1:], dtype=np.int64),
    }
    path.write_bytes(save(tensors, metadata={TRAINED_ENTRIES: str(vectors.trained_entries)}))


def read_vectors(path: Path) -> WordVectors:
    """The vectors of a vocabulary's entries.

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
    """What the gate looks at in every entry.

    Returns:
        A row for each id: has_vector (bool, in every part) and not_finite (int, numbers that are
        NaN or infinite).
    """
    values = vectors.values
    widths = vectors.widths or (values.shape[1],)
    parts = np.split(values, np.cumsum(widths)[:-1], axis=1)
    has = np.stack([part.any(axis=1) for part in parts]).all(axis=0)
    return pd.DataFrame({"has_vector": has, "not_finite": (~np.isfinite(values)).sum(axis=1)})


def token_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Each entry's share of the training tokens, as far as every part has its vector.

    Args:
        table: columns token, count, known_share and has_vector.

    Returns:
        vector_share (float, of all tokens) and negation_share (float, of the negations).
    """
    # A context has no vector, and needs none: the network learns one.
    has = table["has_vector"].eq(True) | table["token"].map(is_context)
    negations = table["count"].where(table["token"].map(is_negation), 0)
    shares = negations / max(1, negations.sum())
    return pd.DataFrame(
        {
            "vector_share": table["known_share"].where(has, 0.0),
            "negation_share": shares.where(has, 0.0),
        }
    )
