"""N-grams of token ids as numbers.

An n-gram's code has its ids as digits to the base of the vocabulary's size. No word has the id 0,
so no two n-grams share a code, and a shorter n-gram has a smaller code than any longer one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FIRST_WORD = 2
"""The smallest id of a word; 0 is padding, 1 unknown."""

Ids = npt.NDArray[np.int64]


class Found(NamedTuple):
    """The n-grams of one length in a batch of texts, in the order of their places.

    Attributes:
        length: tokens of each.
        places: (n,) int64, where each begins among the batch's ids.
        codes: (n,) int64.
    """

    length: int
    places: Ids
    codes: Ids


def find_ngrams(ids: Ids, rows: Ids, lengths: tuple[int, int], size: int) -> Iterator[Found]:
    """Every n-gram without an unknown token, one length at a time.

    Args:
        ids: (tokens,) int64, those of one text after those of another.
        rows: (tokens,) int64, the text of each token.
        lengths: the shortest and the longest n-gram.
        size: entries of the vocabulary, more than any id.
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
    """The ids of n-grams that are equally long, first to last, each (n,) int64."""
    found: list[Ids] = []
    while codes.any():
        codes, last = np.divmod(codes, size)
        found.append(last)
    return found[::-1]


def check_codes_fit(size: int, longest: int) -> None:
    """Refuse a vocabulary whose longest n-grams have no 64-bit code.

    Raises:
        ValueError: it is too large.
    """
    if size**longest > 2**63:
        most = int(2 ** (63 / longest))
        raise ValueError(
            f"n-grams of {longest} tokens over {size:,} vocabulary entries do not fit 64 bits; "
            f"allowed are about {most:,} entries, or shorter n-grams"
        )
