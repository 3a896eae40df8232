"""The shape of a network, as data: what params.yaml chooses and model.json stores.

Apart from the network itself so that reading params does not import torch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .section import Section

Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]


class Architecture(Section):
    """An embedding, one or more LSTM layers, a pooling over time and a linear head."""

    embedding_size: int = Field(ge=1, le=4096)
    """Width of a token's vector."""
    hidden_sizes: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        min_length=1, max_length=8, strict=False
    )
    """Hidden units of each layer and direction, the layer nearest the text first."""
    bidirectional: bool
    """Read every layer in both directions and concatenate."""
    pooling: Literal["last", "max", "mean"]
    """How hidden states over time become one vector; padding never counts."""
    embedding_dropout: Dropout
    """Share of a token's features set to zero before the first layer."""
    layer_dropout: Dropout
    """Share of features set to zero between two layers."""
    head_dropout: Dropout
    """Share of pooled features set to zero before the head."""
