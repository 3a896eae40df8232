"""Finding codes among many: a hash table with linear probing, in numpy.

Far faster than a binary search, which misses the cache at every step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .ngram_codes import Ids

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: Knuth's hashing


class CodeTable:
    """Where each of some codes is among them.

    Args:
        codes: (n,) int64, all different.
    """

    def __init__(self, codes: Ids) -> None:
        bits = max(4, (4 * len(codes)).bit_length())  # no more than a quarter is taken
        self.codes = codes if len(codes) else np.array([-1])
        self._shift, self._last = np.uint64(64 - bits), (1 << bits) - 1
        self._slots: npt.NDArray[np.int32] = np.full(1 << bits, -1, dtype=np.int32)
        waiting, slots = np.arange(len(codes), dtype=np.int32), self._hash(codes)
        while len(waiting):
            free = self._slots[slots] < 0
            self._slots[slots[free]] = waiting[free]  # of several, the last has it
            rest = self._slots[slots] != waiting
            waiting, slots = waiting[rest], (slots[rest] + 1) & self._last

    def find(self, codes: Ids) -> npt.NDArray[np.int32]:
        """The place of each code, (n,) int32; -1 where it is not among them."""
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
