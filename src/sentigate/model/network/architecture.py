"""The architecture of a network, as params.yaml and model.json hold it.

It is not in network.py, so that reading params.yaml does not import torch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..strict_model import StrictModel

DropoutRate = Annotated[float, Field(ge=0.0, lt=1.0)]


class Convolution(StrictModel):
    """The convolution before a CNN-LSTM's recurrent layers (Zhou et al. 2015 do not pool)."""

    filters: int = Field(ge=1, le=4096)
    """Number of features of each window."""
    width: int = Field(ge=1, le=99)
    """Number of tokens in a window; odd, so that a window has a middle token."""
    pool: int = Field(ge=1, le=64)
    """Number of neighbouring windows of which max pooling keeps the largest features. It divides
    the length of the sequence."""

    @model_validator(mode="after")
    def _width_is_odd(self) -> Convolution:
        if self.width % 2 == 0:
            raise ValueError(f"width is {self.width}; allowed: an odd number, for a middle token")
        return self


class Architecture(StrictModel):
    """An embedding, an optional convolution, recurrent layers, pooling over time, a linear head."""

    embedding_size: int = Field(ge=1, le=4096)
    """Width of a token's vector."""
    convolution: Convolution | None = None
    """Convolution before the first recurrent layer."""
    cell: Literal["rnn", "lstm", "gru"]
    """Cell of each recurrent layer."""
    cell_from_scratch: bool = False
    """Whether to run the readable cells of cells.py instead of torch's fast cells."""
    hidden_sizes: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        min_length=1, max_length=8, strict=False
    )
    """Number of hidden units of each layer, per direction; the layer nearest the text is first."""
    bidirectional: bool = False
    """Whether every layer reads in both directions and concatenates their states."""
    pooling: Literal["last", "max", "mean", "attention", "last_padded"]
    """How hidden states over time become one vector. Padding never counts, except in
    ``last_padded``: the state at the last position of the padded row, as some tutorials take it."""
    word_dropout: DropoutRate = 0.0
    """Share of tokens that training replaces by the unknown token."""
    embedding_dropout: DropoutRate = 0.0
    """Share of a token's features set to zero before the first layer."""
    layer_dropout: DropoutRate = 0.0
    """Share of features set to zero between two layers."""
    head_dropout: DropoutRate = 0.0
    """Share of pooled features set to zero before the head."""

    @property
    def reads_padding(self) -> bool:
        """Whether rows must keep their full width, because the padding counts."""
        return self.pooling == "last_padded"

    @model_validator(mode="after")
    def _parts_fit(self) -> Architecture:
        if self.layer_dropout and len(self.hidden_sizes) == 1:
            raise ValueError(
                f"layer_dropout is {self.layer_dropout} with one entry in hidden_sizes; "
                "allowed: 0.0, or a second entry, because this dropout acts between two layers"
            )
        if self.pooling == "last_padded" and self.bidirectional:
            raise ValueError(
                "pooling is 'last_padded' with bidirectional true; allowed: bidirectional false, "
                "because at the last position, reading from right to left has seen only padding"
            )
        if self.pooling == "last_padded" and self.convolution:
            raise ValueError(
                "pooling is 'last_padded' with a convolution; allowed: no convolution, "
                "because windows over padding hold no tokens"
            )
        return self
