"""Token vectors that were made elsewhere, with a correction that is learned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING, UNKNOWN = 0, 1


class CorrectedEmbedding(nn.Module):
    """Fixed vectors plus a trained correction, which starts at zero.

    A word of few training texts stays where its vector puts it, beside words alike in meaning,
    and weight decay draws the others back there. An entry that no training text holds takes the
    correction of the unknown word. What is saved is the sum, the weight of an ``nn.Embedding``.
    """

    vectors: Tensor

    def __init__(self, vectors: Tensor, trained_entries: int) -> None:
        """``vectors`` (V, width) float32; the first ``trained_entries`` have a correction each."""
        super().__init__()
        self.register_buffer("vectors", vectors, persistent=False)
        self.correction = nn.Parameter(torch.zeros(trained_entries, vectors.shape[1]))

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, width)."""
        corrections = functional.embedding(self._corrected(ids), self.correction, PADDING)
        return self.vectors[ids] + corrections

    @property
    def weight(self) -> Tensor:
        """(V, width), the vectors as corrected."""
        every = torch.arange(len(self.vectors), device=self.vectors.device)
        corrected: Tensor = self(every)
        return corrected

    def _corrected(self, ids: Tensor) -> Tensor:
        return ids.where(ids < len(self.correction), UNKNOWN)

    def _save_to_state_dict(
        self, destination: dict[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        destination[f"{prefix}weight"] = self.weight.detach()
