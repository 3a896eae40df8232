"""The shape of a network, as data: what params.yaml chooses and model.json stores.

Apart from the network itself so that reading params does not import torch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..strict_model import StrictModel

DropoutRate = Annotated[float, Field(ge=0.0, lt=1.0)]


class Convolution(StrictModel):
    """What comes before the recurrent layers in a CNN-LSTM (Zhou et al. 2015 do not pool)."""

    filters: int = Field(ge=1, le=4096)
    """Features made of each window."""
    width: int = Field(ge=1, le=99)
    """Tokens in a window; odd, so that a window has a middle."""
    pool: int = Field(ge=1, le=64)
    """Neighbouring windows of which the largest is kept: the sequence gets that much shorter."""

    @model_validator(mode="after")
    def _width_is_odd(self) -> Convolution:
        if self.width % 2 == 0:
            raise ValueError(f"width is {self.width}; allowed: an odd number, for a middle token")
        return self


class Architecture(StrictModel):
    """An embedding, perhaps a convolution, recurrent layers, a pooling over time, a linear head."""

    embedding_size: int = Field(ge=1, le=4096)
    """Width of a token's vector."""
    convolution: Convolution | None = None
    """Before the first recurrent layer."""
    cell: Literal["rnn", "lstm", "gru"]
    """What each recurrent layer is made of."""
    cell_from_scratch: bool = False
    """Run the cells of cells.py, which can be read and watched, not torch's, which are fast."""
    hidden_sizes: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        min_length=1, max_length=8, strict=False
    )
    """Hidden units of each layer and direction, the layer nearest the text first."""
    bidirectional: bool = False
    """Read every layer in both directions and concatenate."""
    pooling: Literal["last", "max", "mean", "attention", "last_padded"]
    """How hidden states over time become one vector. Padding never counts, but in
    ``last_padded``: the state at the last position of the padded row, as some tutorials read it."""
    word_dropout: DropoutRate = 0.0
    """Share of tokens read as unknown ones while training."""
    embedding_dropout: DropoutRate = 0.0
    """Share of a token's features set to zero before the first layer."""
    layer_dropout: DropoutRate = 0.0
    """Share of features set to zero between two layers."""
    head_dropout: DropoutRate = 0.0
    """Share of pooled features set to zero before the head."""

    @property
    def reads_padding(self) -> bool:
        """Whether rows must keep their full width, because what follows a text counts."""
        return self.pooling == "last_padded"

    @model_validator(mode="after")
    def _parts_fit(self) -> Architecture:
        if self.layer_dropout and len(self.hidden_sizes) == 1:
            raise ValueError(
                f"layer_dropout is {self.layer_dropout} with one entry in hidden_sizes; "
                "allowed: 0.0, for there is nothing between one layer, or another layer"
            )
        if self.pooling == "last_padded" and self.bidirectional:
            raise ValueError(
                "pooling is 'last_padded' with bidirectional true; allowed: bidirectional false, "
                "for at the last position the reading from right to left has seen only padding"
            )
        if self.pooling == "last_padded" and self.convolution:
            raise ValueError(
                "pooling is 'last_padded' with a convolution; allowed: no convolution, "
                "for windows over padding hold nothing to read"
            )
        return self
