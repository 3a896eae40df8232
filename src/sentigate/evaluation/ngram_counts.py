"""Count n-grams of token ids in training texts."""

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
        codes: (n,) int64, sorted codes from ``find_ngrams``.
        counts: (rows, n) float32 with int32 indices, count of each n-gram in each text.
    """

    codes: Ids
    counts: csr_array


def count_ngrams(
    texts: Encoded, lengths: tuple[int, int], size: int, min_count: int
) -> NgramCounts:
    """Count the n-grams that are in at least ``min_count`` texts.

    Args:
        texts: training texts.
        lengths: lengths of the shortest and the longest n-gram.
        size: number of vocabulary entries.
        min_count: smallest number of texts, at least 1.
    """
    from scipy.sparse import csc_array, hstack

    height = len(texts.offsets) - 1
    rows = np.repeat(np.arange(height), np.diff(texts.offsets))  # (tokens,), the token's text
    kept, parts = [], []
    for found in find_ngrams(texts.ids, rows, lengths, size):  # one length at a time saves memory
        order = np.argsort(found.codes, kind="stable")  # texts of a code keep their order
        codes, row = found.codes[order], rows[found.places[order]].astype(np.int32)
        new_code = np.diff(codes, prepend=-1) != 0
        pairs = np.flatnonzero(new_code | (np.diff(row, prepend=-1) != 0))
        starts = np.flatnonzero(new_code[pairs])  # first pair of each code
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
    """Return ln((1 + texts) / (1 + texts with the n-gram)) + 1 by column, (columns,) float32."""
    texts_with = np.bincount(counts.indices, minlength=counts.shape[1])
    idf: npt.NDArray[np.float32] = np.log((1 + counts.shape[0]) / (1 + texts_with)) + 1
    return idf.astype(np.float32)
