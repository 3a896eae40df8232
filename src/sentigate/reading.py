"""Where texts lie in a padded batch, and in which order each direction reads them."""

from __future__ import annotations

import torch
from torch import Tensor


class Reading:
    """Where the texts of a batch lie in their padded rows.

    Attributes:
        lengths: (B,) int64, tokens of each text.
        mask: (B, T, 1) bool, true on tokens.
        last: (B,) int64, the position of each text's last token.
        reversal: (B, T) int64, the position to read at each step from right to left: tokens in
            reverse, then the padding in place. It is its own inverse.
    """

    def __init__(self, lengths: Tensor, steps: int) -> None:
        positions = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
        inside = positions < lengths.unsqueeze(1)
        self.lengths = lengths
        self.mask = inside.unsqueeze(2)
        self.last = lengths - 1
        self.reversal = torch.where(inside, self.last.unsqueeze(1) - positions, positions)

    def reverse(self, states: Tensor) -> Tensor:
        """(B, T, F) with each text reversed within its length."""
        return states.gather(1, self.reversal.unsqueeze(2).expand_as(states))
