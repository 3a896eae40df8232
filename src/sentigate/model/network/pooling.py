"""From a state per token to one vector per text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .padded_layout import PaddedLayout


class Pooling(nn.Module):
    """(B, T, F) -> (B, F), without padding, except in ``last_padded``."""

    def __init__(self, kind: str, features: int, bidirectional: bool) -> None:
        super().__init__()
        self.kind = kind
        self.bidirectional = bidirectional
        self.attention = Attention(features) if kind == "attention" else None

    def forward(self, states: Tensor, layout: PaddedLayout) -> Tensor:
        """Return the maximum, the mean, the weighted mean, or each direction's last state."""
        if self.attention is not None:
            weights: Tensor = self.attention(states, layout)
            return (weights * states).sum(1)
        if self.kind == "max":
            if layout.padded:
                states = states.masked_fill(~layout.mask, -torch.inf)
            return states.amax(1)
        if self.kind == "mean":
            return (states * layout.mask).sum(1) / layout.lengths.unsqueeze(1)
        if self.kind == "last_padded":
            return states[:, -1]
        final = states[torch.arange(len(states), device=states.device), layout.last]
        if not self.bidirectional:
            return final
        half = states.shape[2] // 2  # from right to left, the first token's state is the last
        return torch.cat((final[:, :half], states[:, 0, half:]), dim=1)


class Attention(nn.Module):
    """A weight per token: softmax over u . tanh(W s_t + b) (Yang et al. 2016, eq. 5 and 6)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.projection = nn.Linear(features, features)
        self.context = nn.Linear(features, 1, bias=False)

    def forward(self, states: Tensor, layout: PaddedLayout) -> Tensor:
        """(B, T, F) -> (B, T, 1), summing to 1 over each text's tokens, 0 on padding."""
        scores: Tensor = self.context(torch.tanh(self.projection(states)))
        return scores.masked_fill(~layout.mask, -torch.inf).softmax(1)
