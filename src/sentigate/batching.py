"""Batches of texts of like length, each trimmed to its longest text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# oneDNN compiles a kernel for every new (batch, length) it meets; steps of 8 keep those few.
LENGTH_STEP = 8


class Batch(NamedTuple):
    """Rows of a split, ready for the network.

    Attributes:
        ids: (B, T) int64, T the longest length rounded up to a multiple of 8 where it fits.
        lengths: (B,) int64.
        labels: (B,) float32, 1 positive, 0 negative.
        rows: (B,) int64, row numbers in the split.
    """

    ids: Tensor
    lengths: Tensor
    labels: Tensor
    rows: Tensor


class Split(NamedTuple):
    """One split as the pad stage writes it; arrays may be memory-mapped."""

    ids: npt.NDArray[Any]
    lengths: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int8]


class Batches:
    """Iterates over a split once: sorted by length, or shuffled among texts of like length.

    Sorting keeps padding to a few per cent of the arithmetic. When shuffled, rows are permuted,
    stably sorted by rounded length, cut into batches, and the batches permuted, all by a
    generator seeded with (seed, epoch); every pass raises the epoch by one. With ``full_width``
    rows keep all their padding, and length has no say in their order.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        shuffle_seed: int | None = None,
        *,
        full_width: bool = False,
    ) -> None:
        self.split = split
        self.batch_size = batch_size
        self.shuffle_seed = shuffle_seed
        self.full_width = full_width
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.split.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        lengths = self.split.lengths
        if self.shuffle_seed is None:
            order = np.argsort(lengths, kind="stable")
        else:
            rng = np.random.default_rng((self.shuffle_seed, self.epoch))
            order = rng.permutation(len(lengths))
            if not self.full_width:
                rounded = -(-lengths[order] // LENGTH_STEP)
                order = order[np.argsort(rounded, kind="stable")]
        starts = np.arange(0, len(order), self.batch_size)
        if self.shuffle_seed is not None:
            starts = rng.permutation(starts)
            self.epoch += 1
        for start in starts:
            yield self._batch(order[start : start + self.batch_size])

    def _batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        split = self.split
        lengths = split.lengths[rows].astype(np.int64)
        width = split.ids.shape[1]
        if not self.full_width:
            width = min(-(-int(lengths.max()) // LENGTH_STEP) * LENGTH_STEP, width)
        return Batch(
            ids=torch.from_numpy(split.ids[rows, :width].astype(np.int64)),
            lengths=torch.from_numpy(lengths),
            labels=torch.from_numpy(split.labels[rows].astype(np.float32)),
            rows=torch.from_numpy(rows.astype(np.int64)),
        )


def load_split(folder: Path) -> Split:
    """One split, memory-mapped, from ids.npy, lengths.npy and labels.npy."""
    ids, lengths, labels = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in ("ids", "lengths", "labels")
    )
    return Split(ids, lengths, labels)
