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
from sentigate.model.labels import ThresholdMetric
from sentigate.model.network.architecture import Architecture
from sentigate.model.strict_model import StrictModel

Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]
"""A Matthews correlation coefficient: 0 is chance, whatever the balance of labels."""

WORD_LEVELS = ("word", "glove")
"""The levels whose tokens are words; only these can have word vectors."""

Level = Literal["character", "word", "glove", "bpe"]
"""character: tokens are code points. word: words and single punctuation characters. glove: words as
GloVe's tokenizer splits them, emoticons, ``...``. bpe: byte-pair merges inside words (Sennrich et
al. 2016)."""
Length = Annotated[int, Field(ge=1, le=100_000)]


class VocabParams(StrictModel):
    """How texts become tokens."""

    level: Level
    min_count: Annotated[int, Field(ge=1)]
    """Least number of occurrences of an entry (with ``bpe``, of a pair)."""
    max_size: Annotated[int, Field(ge=3, le=1_000_000)]
    """Largest number of entries, including the two special ones."""
    order: Literal["frequency", "first_seen"]
    """Order of the entries; beyond max_size, the last ones are dropped. Some tutorials use
    ``first_seen``."""
    vectors: tuple[str, ...] = Field(default=(), strict=False)
    """Entries of ``vectors:``, whose numbers are side by side in a word's vector."""
    outside_words: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """Largest number of words that come from the vectors and not from the training texts."""

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


ClassWeighting = Literal["inverse_frequency", "effective_number"]


class TrainingParams(StrictModel):
    """How a network is fitted."""

    batch_size: Annotated[int, Field(ge=1)]
    min_epoch_steps: Annotated[int, Field(ge=0)] = 0
    """If an epoch would have fewer steps, batches are halved, down to 8 texts (steps.py)."""
    max_epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None = None
    """Epochs without a better value of ``monitor`` after which training stops."""
    learning_rate: Annotated[float, Field(gt=0.0)]
    learning_rate_decay: Literal["linear"] | None = None
    """``linear``: from learning_rate at the first step to 0 after max_epochs."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0
    gradient_clip: Annotated[float, Field(gt=0.0)] | None = None
    """Largest global norm of the gradient."""
    average_decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Decay of the exponential moving average of the weights, which is evaluated and kept. None:
    evaluate and keep the weights of the last step."""
    monitor: Literal["validation_loss", "validation_accuracy"]
    """The figure that chooses the epoch whose weights are kept, and that stops training."""


class VectorCorrection(StrictModel):
    """How training changes word vectors: each gets a learned correction, which starts at 0."""

    learning_rate: Annotated[float, Field(gt=0.0)]
    min_count: Annotated[int, Field(ge=1)]
    """Words with fewer occurrences in the training texts keep their vectors."""


class ClassifierTraining(TrainingParams):
    """How the classifier is fitted, and the language model that it starts from, if any."""

    fused: bool = False
    """Whether the linear baseline has a share in the answers; the share is chosen on validation."""
    class_weights: ClassWeighting | None = None
    """How the loss weights the classes; None: every text counts the same."""
    threshold_metric: ThresholdMetric | None = None
    """With two classes: the metric for which the threshold is chosen on validation; None: the more
    probable class is the answer."""
    vector_correction: VectorCorrection | None = None
    """None: training changes no word vector except that of the unknown word."""
    pretraining: TrainingParams | None = None
    """How the encoder is first trained to predict the next token; None: it is not pretrained."""


class FirstAndLast(StrictModel):
    """Read the first and the last tokens of a text longer than their sum (Sun et al. 2019)."""

    first: Length
    last: Length


MaxLength = Length | Literal["auto"] | FirstAndLast
"""Number of tokens that the network reads of a text: the first, or the first and the last. auto:
enough for most training texts (reading_length.py)."""


class ModelPreset(StrictModel):
    """One entry of ``models:``."""

    vocab: VocabParams
    max_length: MaxLength
    min_validation_mcc: Correlation
    """Least value for the answers of the kept weights on validation; below it, the gate fails."""
    network: Architecture
    training: ClassifierTraining

    @field_validator("max_length", mode="wrap")
    @classmethod
    def _is_a_length(cls, value: object, check: ValidatorFunctionWrapHandler) -> object:
        """Raise one error instead of pydantic's three, one for each kind of length."""
        try:
            return check(value)
        except ValidationError:
            raise ValueError(
                f"{shorten(value)} is not a length; allowed: auto, a whole number from 1 to "
                "100,000, or two of them, as in {first: 300, last: 100}"
            ) from None

    @model_validator(mode="after")
    def _vectors_fit(self) -> ModelPreset:
        if self.vocab.vectors and self.training.pretraining:
            raise ValueError(
                f"vocab.vectors is {shorten(list(self.vocab.vectors))} with pretraining; allowed: "
                "none, because the language model would replace them"
            )
        return self

    @model_validator(mode="after")
    def _correction_has_vectors(self) -> ModelPreset:
        if self.training.vector_correction and not self.vocab.vectors:
            raise ValueError(
                "training.vector_correction is set without vocab.vectors; allowed: no correction, "
                "or vectors to correct"
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
                "bidirectional is true with pretraining; allowed: bidirectional false, because "
                "from right to left a network reads the token that it has to predict"
            )
        if self.network.convolution:
            raise ValueError(
                "network has a convolution with pretraining; allowed: no convolution, because its "
                "windows include the token that the model has to predict"
            )
        if self.network.reads_padding:
            raise ValueError(
                "pooling is 'last_padded' with pretraining; allowed: another pooling, because "
                "padding separates texts in a language model"
            )
        return self
