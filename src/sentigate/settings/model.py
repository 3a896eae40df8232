"""One model of params.yaml: its vocabulary, network and training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sentigate.errors import shorten
from sentigate.model.network.architecture import Architecture
from sentigate.model.strict_model import StrictModel

Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]
"""A Matthews correlation coefficient: 0 is what chance reaches, whatever the balance of labels."""

WORD_LEVELS = ("word", "glove")
"""The levels whose tokens are words, which have vectors."""


class VocabParams(StrictModel):
    """How texts become tokens."""

    level: Literal["character", "word", "glove", "bpe"]
    min_count: Annotated[int, Field(ge=1)]
    max_size: Annotated[int, Field(ge=3, le=1_000_000)]
    """Entries at most, the two special ones included."""
    order: Literal["frequency", "first_seen"]
    """Which entries are kept when there are more; ``first_seen`` as some tutorials have it."""
    vectors: tuple[str, ...] = Field(strict=False)
    """Entries of ``vectors:``, whose numbers stand side by side in a word's vector."""
    outside_words: Annotated[int, Field(ge=0, le=10_000_000)]
    """How many words of the vectors are entries beside those of the training texts, at most."""

    @model_validator(mode="after")
    def _order_fits_level(self) -> VocabParams:
        if self.level == "bpe" and self.order == "first_seen":
            raise ValueError("order is 'first_seen' with level bpe; allowed: frequency")
        return self

    @model_validator(mode="after")
    def _vectors_are_of_words(self) -> VocabParams:
        if self.vectors and self.level not in WORD_LEVELS:
            raise ValueError(
                f"vectors is {shorten(list(self.vectors))} with level {self.level}; allowed: "
                f"[], or level {' or '.join(WORD_LEVELS)}"
            )
        if len(set(self.vectors)) < len(self.vectors):
            raise ValueError(f"vectors is {shorten(list(self.vectors))}; allowed: each entry once")
        return self


class TrainingParams(StrictModel):
    """How a network is fitted."""

    batch_size: Annotated[int, Field(ge=1)]
    max_epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)]
    """Epochs after which training stops, when what is monitored has got no better."""
    learning_rate: Annotated[float, Field(gt=0.0)]
    weight_decay: Annotated[float, Field(ge=0.0)]
    learning_rate_decay: Literal["none", "linear"]
    """``linear``: from learning_rate at the first step to 0 after the last of max_epochs."""
    gradient_clip: Annotated[float, Field(gt=0.0)] | None
    """Largest global norm of the gradient; null for any."""
    average_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None
    """What is judged and kept are weights averaged over steps, of which each step keeps this
    share; null for the last step's own."""
    monitor: Literal["validation_loss", "validation_accuracy"]
    """What stops training, and by which the epoch whose weights are kept is best."""


class VectorCorrection(StrictModel):
    """How word vectors are changed in training: each by a learned correction, which starts at 0."""

    learning_rate: Annotated[float, Field(gt=0.0)]
    min_count: Annotated[int, Field(ge=1)]
    """Words seen less often in the training texts keep their vectors."""


class ClassifierTraining(TrainingParams):
    """How the classifier is fitted, and the language model that it starts from, if any."""

    vector_correction: VectorCorrection | None
    """null leaves all word vectors fixed, except the unknown word's, which is learned."""
    pretraining: TrainingParams | None
    """How the same encoder first learns to predict the next token; null for not at all."""


class ModelPreset(StrictModel):
    """One entry of ``models:``."""

    vocab: VocabParams
    max_length: Annotated[int, Field(ge=1, le=100_000)] | None
    """Tokens kept of a text; null takes the data set's own."""
    min_validation_mcc: Correlation | None
    """A floor of this model's own; null takes that of ``gates:``."""
    fused: bool
    """Whether the linear baseline has a share in the answers, chosen on validation."""
    network: Architecture
    training: ClassifierTraining

    @model_validator(mode="after")
    def _vectors_fit(self) -> ModelPreset:
        if self.vocab.vectors and self.training.pretraining:
            raise ValueError(
                f"vocab.vectors is {shorten(list(self.vocab.vectors))} with pretraining; allowed: "
                "[], because the language model would take their place"
            )
        return self

    @model_validator(mode="after")
    def _vectors_are_there_to_correct(self) -> ModelPreset:
        if self.training.vector_correction and not self.vocab.vectors:
            raise ValueError(
                "there is a training.vector_correction without vocab.vectors; allowed: null, or "
                "vectors to correct"
            )
        return self

    @model_validator(mode="after")
    def _fusion_reads_the_same_tokens(self) -> ModelPreset:
        if self.fused and self.vocab.level != "glove":
            raise ValueError(
                f"fused is true with vocab.level {self.vocab.level}; allowed: false, or level "
                "glove, whose tokens the linear baseline reads"
            )
        return self

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
