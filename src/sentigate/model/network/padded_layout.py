"""The layout of texts in a padded batch, and the order in which each direction reads them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class PaddedLayout:
    """The layout of a batch's texts in their padded rows.

    Attributes:
        lengths: (B,) int64, number of tokens of each text.
        mask: (B, T, 1) bool, true for tokens.
        padded: whether any position is padding.
        last: (B,) int64, position of each text's last token.
        reversal: (B, T) int64, position to read at each step from right to left: tokens in reverse,
            then the padding in place. This permutation is its own inverse.
    """

    def __init__(self, lengths: Tensor, steps: int) -> None:
        positions = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
        inside = positions < lengths.unsqueeze(1)
        self.lengths = lengths
        self.mask = inside.unsqueeze(2)
        self.padded = not bool(inside.all())
        self.last = lengths - 1
        self.reversal = torch.where(inside, self.last.unsqueeze(1) - positions, positions)

    def reverse(self, states: Tensor) -> Tensor:
        """Return ``states``, (B, T, F), with each text reversed within its length."""
        reversed_: Tensor = _Reverse.apply(states, self.reversal)  # type: ignore[no-untyped-call]
        return reversed_


class _Reverse(torch.autograd.Function):
    """Permutes whole feature rows. Backward permutes them again: it is its own inverse."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, reversal: Tensor) -> Tensor:
        starts = torch.arange(0, reversal.numel(), reversal.shape[1], device=reversal.device)
        rows = (reversal + starts.unsqueeze(1)).flatten()
        ctx.save_for_backward(rows)
        return _take(states, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return _take(gradient, rows), None


def _take(states: Tensor, rows: Tensor) -> Tensor:
    return states.flatten(0, 1).index_select(0, rows).view(states.shape)
