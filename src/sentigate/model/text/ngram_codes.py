"""N-grams of token ids as numbers.

The digits of an n-gram's code are its ids; the base is the size of the vocabulary. No word has the
id 0. So no two n-grams share a code, and a shorter n-gram has a smaller code than a longer one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FIRST_WORD = 2
"""The smallest id of a word; 0 is padding, 1 the unknown token."""

Ids = npt.NDArray[np.int64]


class Found(NamedTuple):
    """The n-grams of one length in a batch of texts, in the order of the text.

    Attributes:
        length: number of tokens of each n-gram.
        places: (n,) int64, index of each n-gram's first token among the batch's ids.
        codes: (n,) int64.
    """

    length: int
    places: Ids
    codes: Ids


def find_ngrams(ids: Ids, rows: Ids, lengths: tuple[int, int], size: int) -> Iterator[Found]:
    """Yield the n-grams without an unknown token, one length at a time.

    Args:
        ids: (tokens,) int64, token ids of one text after another.
        rows: (tokens,) int64, row of each token's text.
        lengths: lengths of the shortest and the longest n-gram.
        size: number of vocabulary entries, larger than any id.
    """
    whole, codes = ids >= FIRST_WORD, ids
    joined = whole[:-1] & whole[1:] & (rows[:-1] == rows[1:])
    for length in range(1, lengths[1] + 1):
        if length > 1:
            codes = codes[:-1] * size + ids[length - 1 :]
            whole = whole[:-1] & joined[length - 2 :]
        if length >= lengths[0]:
            places = np.flatnonzero(whole)
            yield Found(length, places, codes[places])


def digits(codes: Ids, size: int) -> list[Ids]:
    """Return the ids of n-grams of one length: an array, (n,) int64, per token, first to last."""
    found: list[Ids] = []
    while codes.any():
        codes, last = np.divmod(codes, size)
        found.append(last)
    return found[::-1]


def check_codes_fit(size: int, longest: int) -> None:
    """Refuse a vocabulary that is too large for 64-bit codes of the longest n-grams.

    Raises:
        ValueError: the vocabulary is too large.
    """
    if size**longest > 2**63:
        most = int(2 ** (63 / longest))
        raise ValueError(
            f"n-grams of {longest} tokens over {size:,} vocabulary entries do not fit 64 bits; "
            f"allowed: at most about {most:,} entries, or shorter n-grams"
        )
