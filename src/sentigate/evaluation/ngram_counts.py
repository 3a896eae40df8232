"""Counting n-grams of token ids in training texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from sentigate.model.text.encoding import Encoded
from sentigate.model.text.ngram_codes import Ids, find_ngrams

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class NgramCounts(NamedTuple):
    """The n-grams of training texts.

    Attributes:
        codes: (n,) int64, sorted, as ``find_ngrams`` numbers them.
        counts: (rows, n) float32 with int32 indices.
    """

    codes: Ids
    counts: csr_array


def count_ngrams(
    texts: Encoded, lengths: tuple[int, int], size: int, min_count: int
) -> NgramCounts:
    """Count the n-grams that are in at least ``min_count`` texts.

    Args:
        texts: of the training split.
        lengths: the shortest and the longest n-gram.
        size: entries of the vocabulary.
        min_count: 1 or more.
    """
    from scipy.sparse import csc_array, hstack

    height = len(texts.offsets) - 1
    rows = np.repeat(np.arange(height), np.diff(texts.offsets))  # (tokens,), the text of each
    kept, parts = [], []
    for found in find_ngrams(texts.ids, rows, lengths, size):  # a length at a time, for memory
        order = np.argsort(found.codes, kind="stable")  # of one code, texts stay in order
        codes, row = found.codes[order], rows[found.places[order]].astype(np.int32)
        new_code = np.diff(codes, prepend=-1) != 0
        pairs = np.flatnonzero(new_code | (np.diff(row, prepend=-1) != 0))
        starts = np.flatnonzero(new_code[pairs])  # where a code begins among pairs with a text
        texts_with = np.diff(starts, append=len(pairs))
        often = texts_with >= min_count
        values = np.diff(pairs, append=len(codes)).astype(np.float32)
        inside = np.repeat(often, texts_with)
        ends = np.concatenate([[0], np.cumsum(texts_with[often])]).astype(np.int32)
        columns = (values[inside], row[pairs][inside], ends)
        parts.append(csc_array(columns, shape=(height, len(ends) - 1)))
        kept.append(codes[pairs[starts[often]]])
    return NgramCounts(np.concatenate(kept), hstack(parts, format="csr", dtype=np.float32))


def idf_of(counts: csr_array) -> npt.NDArray[np.float32]:
    """ln((1 + texts) / (1 + texts with it)) + 1 of each column, (columns,) float32."""
    with_it = np.bincount(counts.indices, minlength=counts.shape[1])
    found: npt.NDArray[np.float32] = np.log((1 + counts.shape[0]) / (1 + with_it)) + 1
    return found.astype(np.float32)
