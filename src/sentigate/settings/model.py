"""One model of params.yaml: its vocabulary, network and training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from sentigate.errors import shorten
from sentigate.model.network.architecture import Architecture
from sentigate.model.strict_model import StrictModel

Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]
"""A Matthews correlation coefficient: 0 is what chance reaches, whatever the balance of labels."""

WORD_LEVELS = ("word", "glove")
"""The levels whose tokens are words, which have vectors."""

Level = Literal["character", "word", "glove", "bpe"]
"""Tokens are code points; or words, and punctuation sign by sign; or words as GloVe's own tokenizer
parts them, emoticons, ``...``; or byte-pair merges within words (Sennrich et al. 2016)."""
Length = Annotated[int, Field(ge=1, le=100_000)]


class VocabParams(StrictModel):
    """How texts become tokens."""

    level: Level
    min_count: Annotated[int, Field(ge=1)]
    """Entries (``bpe``: pairs) seen less often are left out."""
    max_size: Annotated[int, Field(ge=3, le=1_000_000)]
    """Entries at most, the two special ones included."""
    order: Literal["frequency", "first_seen"]
    """Which entries come first, and are kept when there are more; ``first_seen`` as some tutorials
    have it."""
    vectors: tuple[str, ...] = Field(default=(), strict=False)
    """Entries of ``vectors:``, whose numbers stand side by side in a word's vector."""
    outside_words: Annotated[int, Field(ge=0, le=10_000_000)] = 0
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
                f"none, or level {' or '.join(WORD_LEVELS)}"
            )
        if len(set(self.vectors)) < len(self.vectors):
            raise ValueError(f"vectors is {shorten(list(self.vectors))}; allowed: each entry once")
        return self


class TrainingParams(StrictModel):
    """How a network is fitted."""

    batch_size: Annotated[int, Field(ge=1)]
    min_epoch_steps: Annotated[int, Field(ge=0)] = 0
    """Where an epoch would have fewer steps, batches are halved, down to 8 texts (steps.py)."""
    max_epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None = None
    """Epochs after which training stops, when what is monitored has got no better."""
    learning_rate: Annotated[float, Field(gt=0.0)]
    learning_rate_decay: Literal["linear"] | None = None
    """``linear``: from learning_rate at the first step to 0 after the last of max_epochs."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    gradient_clip: Annotated[float, Field(gt=0.0)] | None = None
    """Largest global norm of the gradient."""
    average_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """What is judged and kept are weights averaged over steps, of which each step keeps this
    share; without it, the last step's own."""
    monitor: Literal["validation_loss", "validation_accuracy"]
    """What stops training, and by which the epoch whose weights are kept is best."""


class VectorCorrection(StrictModel):
    """How word vectors are changed in training: each by a learned correction, which starts at 0."""

    learning_rate: Annotated[float, Field(gt=0.0)]
    min_count: Annotated[int, Field(ge=1)]
    """Words seen less often in the training texts keep their vectors."""


class ClassifierTraining(TrainingParams):
    """How the classifier is fitted, and the language model that it starts from, if any."""

    fused: bool = False
    """Whether the linear baseline has a share in the answers, chosen on validation."""
    vector_correction: VectorCorrection | None = None
    """Without it, word vectors stay as they are, except the unknown word's, which is learned."""
    pretraining: TrainingParams | None = None
    """How the same encoder first learns to predict the next token."""


class FirstAndLast(StrictModel):
    """What the network reads of a text that is longer than both together (Sun et al. 2019)."""

    first: Length
    last: Length


MaxLength = Length | Literal["auto"] | FirstAndLast
"""Tokens of a text that the network reads: the first ones, or the first and the last; auto is as
many as most training texts have (reading_length.py)."""


class ModelPreset(StrictModel):
    """One entry of ``models:``."""

    vocab: VocabParams
    max_length: MaxLength
    min_validation_mcc: Correlation
    """Below it, the kept weights' answers on validation rows do not pass the gate."""
    network: Architecture
    training: ClassifierTraining

    @field_validator("max_length", mode="wrap")
    @classmethod
    def _is_a_length(cls, value: object, check: ValidatorFunctionWrapHandler) -> object:
        """One message, where pydantic has one for each kind of length that the value is not."""
        try:
            return check(value)
        except ValidationError:
            raise ValueError(
                f"{shorten(value)} is no length; allowed: auto, a whole number from 1 to 100,000, "
                "or two of them, as in {first: 300, last: 100}"
            ) from None

    @model_validator(mode="after")
    def _vectors_fit(self) -> ModelPreset:
        if self.vocab.vectors and self.training.pretraining:
            raise ValueError(
                f"vocab.vectors is {shorten(list(self.vocab.vectors))} with pretraining; allowed: "
                "none, because the language model would take their place"
            )
        return self

    @model_validator(mode="after")
    def _vectors_are_there_to_correct(self) -> ModelPreset:
        if self.training.vector_correction and not self.vocab.vectors:
            raise ValueError(
                "there is a training.vector_correction without vocab.vectors; allowed: none, or "
                "vectors to correct"
            )
        return self

    @model_validator(mode="after")
    def _fusion_reads_the_same_tokens(self) -> ModelPreset:
        if self.training.fused and self.vocab.level != "glove":
            raise ValueError(
                f"training.fused is true with vocab.level {self.vocab.level}; allowed: false, or "
                "level glove, whose tokens the linear baseline reads"
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
                "there is a convolution with pretraining; allowed: no convolution, for windows "
                "reach ahead to the token that is to be predicted"
            )
        if self.network.reads_padding:
            raise ValueError(
                "pooling is 'last_padded' with pretraining; allowed: another pooling, for padding "
                "is the boundary between texts to a language model"
            )
        return self
