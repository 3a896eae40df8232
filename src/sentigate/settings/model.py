"""One model of params.yaml: its vocabulary, network and training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sentigate.model.network.architecture import Architecture
from sentigate.model.strict_model import StrictModel

Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]
"""A Matthews correlation coefficient: 0 is what chance reaches, whatever the balance of labels."""


class VocabParams(StrictModel):
    """How texts become tokens."""

    level: Literal["character", "word", "bpe"]
    min_count: Annotated[int, Field(ge=1)]
    max_size: Annotated[int, Field(ge=3, le=1_000_000)]
    """Entries at most, the two special ones included."""
    order: Literal["frequency", "first_seen"]
    """Which entries are kept when there are more; ``first_seen`` as some tutorials have it."""

    @model_validator(mode="after")
    def _order_fits_level(self) -> VocabParams:
        if self.level == "bpe" and self.order == "first_seen":
            raise ValueError("order is 'first_seen' with level bpe; allowed: frequency")
        return self


class TrainingParams(StrictModel):
    """How a network is fitted."""

    batch_size: Annotated[int, Field(ge=1)]
    max_epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)]
    """Epochs after which training stops, when what is monitored has got no better."""
    learning_rate: Annotated[float, Field(gt=0.0)]
    weight_decay: Annotated[float, Field(ge=0.0)]
    gradient_clip: Annotated[float, Field(gt=0.0)] | None
    """Largest global norm of the gradient; null for any."""
    monitor: Literal["validation_loss", "validation_accuracy"]
    """What stops training, and by which the epoch whose weights are kept is best."""


class ClassifierTraining(TrainingParams):
    """How the classifier is fitted, and the language model that it starts from, if any."""

    pretraining: TrainingParams | None
    """How the same encoder first learns to predict the next token; null for not at all."""


class ModelPreset(StrictModel):
    """One entry of ``models:``."""

    vocab: VocabParams
    max_length: Annotated[int, Field(ge=1, le=100_000)] | None
    """Tokens kept of a text; null takes the data set's own."""
    min_validation_mcc: Correlation | None
    """A floor of this model's own; null takes that of ``gates:``."""
    network: Architecture
    training: ClassifierTraining

    @model_validator(mode="after")
    def _network_can_be_pretrained(self) -> ModelPreset:
        if not self.training.pretraining:
            return self
        if self.network.bidirectional:
            raise ValueError(
                "bidirectional is true with pretraining; allowed: bidirectional false, for from "
                "right to left a network sees the token that it is to predict"
            )
        if self.network.convolution:
            raise ValueError(
                "there is a convolution with pretraining; allowed: convolution null, for windows "
                "reach ahead to the token that is to be predicted"
            )
        if self.network.reads_padding:
            raise ValueError(
                "pooling is 'last_padded' with pretraining; allowed: another pooling, for padding "
                "is the boundary between texts to a language model"
            )
        return self
