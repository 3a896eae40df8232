"""An embedding of given token vectors with learned corrections."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..text.encoding import PAD_ID


class CorrectedEmbedding(nn.Module):
    """Fixed vectors plus, for the first ids, a learned correction that starts at zero.

    A word of few training texts stays near its vector, close to words of similar meaning. Weight
    decay draws the other words back towards theirs. The state dict holds only the sum, as the
    weight of an ``nn.Embedding``.

    Attributes:
        vectors: (V, width) float32, fixed: training neither optimises nor averages them.
        correction: (learned, width) float32; the correction of padding stays zero.
        learning_rate: learning rate of the corrections; None for the rate of the other weights.
    """

    vectors: Tensor

    def __init__(self, vectors: Tensor, learned: int, learning_rate: float | None = None) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors, persistent=False)
        self.correction = nn.Parameter(torch.zeros(learned, vectors.shape[1]))
        self.learning_rate = learning_rate

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, width)."""
        vectors = functional.embedding(ids, self.vectors)
        # Often only the unknown token has a correction. A product for every position would cost as
        # much as the dropout that follows.
        corrected = ((ids > PAD_ID) & (ids < len(self.correction))).nonzero(as_tuple=True)
        corrections = functional.embedding(ids[corrected], self.correction)
        return vectors.index_put(corrected, corrections, accumulate=True)

    @property
    def weight(self) -> Tensor:
        """The corrected vectors, (V, width)."""
        return self.vectors + functional.pad(
            self.correction, (0, 0, 0, len(self.vectors) - len(self.correction))
        )

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        destination[f"{prefix}weight"] = self.weight.detach()
