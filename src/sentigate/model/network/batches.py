"""Batches of texts of similar length, each trimmed to its longest text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .inputs import Inputs


def _rounded_up(lengths: Any) -> Any:
    """Round lengths of texts up to widths, by at most a 32nd.

    oneDNN makes a kernel for every (batch, width). Rounding keeps the kernels of long texts few.
    """
    steps = np.maximum(lengths // 32, 1)
    return -(-lengths // steps) * steps


class Batch(NamedTuple):
    """Rows of a split, ready for the network.

    Attributes:
        inputs: texts; T is the longest length, or at most a 32nd more.
        labels: (B,) int64, indexes into the names of the classes.
        rows: (B,) int64, row numbers in the split.
    """

    inputs: Inputs
    labels: Tensor
    rows: Tensor


class EncodedSplit(NamedTuple):
    """One split as the pad stage writes it; arrays may be memory-mapped.

    Attributes:
        ids: (rows, max_length) uint16 or int32, 0 after the text.
        lengths: (rows,) int32.
        labels: (rows,) int8.
    """

    ids: npt.NDArray[Any]
    lengths: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int8]

    def take(self, rows: npt.NDArray[np.integer] | list[int]) -> EncodedSplit:
        """Return the given rows, in the given order."""
        return EncodedSplit(self.ids[rows], self.lengths[rows], self.labels[rows])


class Batches:
    """Iterates over a split: sorted by length, or shuffled among texts of one width.

    Sorting reduces padding to a hundredth of the arithmetic. Shuffling permutes the rows, sorts
    them stably by the width that they need, cuts them into batches and permutes the batches. Its
    generator has the seed (seed, epoch), and every pass raises the epoch by one. With
    ``full_width``, rows keep all their padding, and shuffling does not sort them.
    """

    def __init__(
        self,
        split: EncodedSplit,
        batch_size: int,
        shuffle_seed: int | None = None,
        *,
        full_width: bool = False,
        process_share: tuple[int, int] = (0, 1),
    ) -> None:
        """``process_share`` (r, n) takes rows r, r + n, r + 2n, … of each batch of n or more."""
        self.split = split
        self.batch_size = batch_size
        self.shuffle_seed = shuffle_seed
        self.full_width = full_width
        self.process_share = process_share
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._starts())

    def __iter__(self) -> Iterator[Batch]:
        lengths = self.split.lengths
        if self.shuffle_seed is None:
            batches = self._cut(np.argsort(lengths, kind="stable"))
        else:
            rng = np.random.default_rng((self.shuffle_seed, self.epoch))
            self.epoch += 1
            order = rng.permutation(len(lengths))
            if not self.full_width:
                order = order[np.argsort(_rounded_up(lengths[order]), kind="stable")]
            batches = self._cut(order)
            batches = [batches[number] for number in rng.permutation(len(batches))]
        first, step = self.process_share
        for rows in batches:
            yield self._batch(rows[first::step])

    def _starts(self) -> list[int]:
        size = len(self.split.lengths)
        starts = list(range(0, size, self.batch_size))
        if len(starts) > 1 and size - starts[-1] < self.process_share[1]:
            starts.pop()  # fewer rows than processes: they join the previous batch
        return starts

    def _cut(self, order: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        starts = self._starts()
        return np.split(order, starts[1:]) if starts else []

    def _batch(self, rows: npt.NDArray[np.int64]) -> Batch:
        split = self.split
        lengths = split.lengths[rows].astype(np.int64)
        width = split.ids.shape[1]
        if not self.full_width:
            width = min(int(_rounded_up(lengths.max())), width)
        return Batch(
            inputs=Inputs(
                torch.from_numpy(split.ids[rows, :width].astype(np.int64)),
                torch.from_numpy(lengths),
            ),
            labels=torch.from_numpy(split.labels[rows].astype(np.int64)),
            rows=torch.from_numpy(rows.astype(np.int64)),
        )


def load_split(folder: Path) -> EncodedSplit:
    """Load a split, memory-mapped, from ids.npy, lengths.npy and labels.npy."""
    ids, lengths, labels = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in ("ids", "lengths", "labels")
    )
    return EncodedSplit(ids, lengths, labels)
