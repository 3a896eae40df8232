"""A hash table of codes with linear probing, in numpy.

It is far faster than a binary search, which misses the cache at every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ngram_codes import Ids

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: Knuth's hashing


class CodeTable:
    """Finds the index of a code among the table's codes.

    Args:
        codes: (n,) int64, all different.
    """

    def __init__(self, codes: Ids) -> None:
        bits = max(4, (4 * len(codes)).bit_length())  # at most a quarter is used
        self.codes = codes if len(codes) else np.array([-1])
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._slots: npt.NDArray[np.int32] = np.full(1 << bits, -1, dtype=np.int32)
        waiting, slots = np.arange(len(codes), dtype=np.int32), self._hash(codes)
        while len(waiting):
            free = self._slots[slots] < 0
            self._slots[slots[free]] = waiting[free]  # of several codes, the last gets it
            rest = self._slots[slots] != waiting
            waiting, slots = waiting[rest], (slots[rest] + 1) & self._last

    def find(self, codes: Ids) -> npt.NDArray[np.int32]:
        """Return the index of each code, (n,) int32; -1 for a code that the table lacks."""
        slots = self._hash(codes)
        places = self._slots[slots]
        waiting = np.flatnonzero((self.codes[places] != codes) & (places >= 0))
        slots = slots[waiting]
        while len(waiting):
            slots = (slots + 1) & self._last
            found = self._slots[slots]
            places[waiting] = found
            rest = (self.codes[found] != codes[waiting]) & (found >= 0)
            waiting, slots = waiting[rest], slots[rest]
        return places

    def _hash(self, codes: Ids) -> Ids:
        return ((codes.view(np.uint64) * MULTIPLIER) >> self._shift).view(np.int64)
