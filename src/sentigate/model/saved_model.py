"""A trained model as files. The stage train writes them, and every prediction loads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from safetensors.torch import load_file, save_file
from torch import Tensor

from .fusion import Fusion
from .labels import BINARY, Classes, ThresholdMetric
from .linear_model import LinearModel
from .model_files import (
    DESCRIPTION,
    LANGUAGE_MODEL,
    LINEAR_WEIGHTS,
    NETWORK_WEIGHTS,
    TOKENIZER,
    ModelFileError,
    named,
)
from .network.architecture import Architecture
from .network.network import Network
from .strict_model import StrictModel
from .text.cleaning_steps import CleaningSteps

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Description(StrictModel):
    """The content of model.json: all of a model except its weights and its tokenizer."""

    dataset: str
    """Name of the data set that the model was trained on."""
    model: str
    """Entry of ``models:`` that configured the model."""
    classes: Classes = BINARY
    """Classes that the model answers. Models of older versions lack this key."""
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """With two classes: smallest probability of the later class for which it is the answer. None
    for the most probable class."""
    threshold_metric: ThresholdMetric | None = None
    """Metric for which the threshold was chosen."""
    cleaning: CleaningSteps
    max_length: int
    """Largest number of tokens that the network reads of a text."""
    last_tokens: int = 0
    """Number of these tokens that come from the end of a longer text. Models of older versions
    lack this key and read no end."""
    vocabulary_size: int
    """Number of tokenizer entries."""
    network: Architecture
    start: Literal["random", "vectors", "language_model"]
    """Starting point of the training."""
    fusion: Fusion
    """Fusion of the network's and the linear model's logits."""
    precision: str
    """Precision of the training, in PyTorch Lightning's terms."""


@dataclass(frozen=True)
class SavedModel:
    """A trained model, which needs nothing else to predict raw texts.

    Attributes:
        description: content of model.json.
        tokenizer: tokenizer of cleaned texts.
        weights: weights of the network, on the CPU; word vectors are float16, all others float32.
        linear: linear model beside the network, over the same token ids; None if there is none.
        language_model: weights of the language model that the network started from; None if it
            started from none, or if the folder has no copy, as in a registered model.
    """

    description: Description
    tokenizer: Tokenizer
    weights: dict[str, Tensor]
    linear: LinearModel | None = None
    language_model: dict[str, Tensor] | None = None

    def save(self, folder: Path) -> None:
        """Write all files to ``folder``, which exists."""
        text = json.dumps(self.description.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        (folder / TOKENIZER).write_text(self.tokenizer.to_str(pretty=True), encoding="utf-8")
        save_file(self.weights, folder / NETWORK_WEIGHTS)
        if self.linear is not None:
            self.linear.save(folder)
        if self.language_model is not None:
            save_file(self.language_model, folder / LANGUAGE_MODEL)

    @classmethod
    def load(cls, folder: Path) -> SavedModel:
        """Read what ``save`` wrote.

        Raises:
            ModelFileError: a file cannot be read, or does not fit the others.
            FileNotFoundError: a file is missing.
        """
        from tokenizers import Tokenizer

        with named(folder / DESCRIPTION) as path:
            description = Description.model_validate_json(path.read_text("utf-8"))
            scores = description.classes.scores
            if (found := len(description.fusion.prior)) != scores:
                raise ValueError(f"fusion.prior has {found} numbers; expected: {scores}")
            if description.threshold is not None and scores != 1:
                raise ValueError("it has a threshold; allowed: only between two classes")
        with named(folder / TOKENIZER) as path:
            tokenizer = Tokenizer.from_str(path.read_text("utf-8"))
            if tokenizer.get_vocab_size() != description.vocabulary_size:
                raise ValueError(
                    f"it has {tokenizer.get_vocab_size()} entries, {DESCRIPTION} says "
                    f"{description.vocabulary_size}"
                )
        language_model = None
        if description.start == "language_model" and (folder / LANGUAGE_MODEL).exists():
            with named(folder / LANGUAGE_MODEL) as path:
                language_model = load_file(path)
        linear = LinearModel.load(folder) if description.fusion.share else None
        if linear is not None and len(linear.bias) != scores:
            raise ModelFileError(
                folder / LINEAR_WEIGHTS, f"it has {len(linear.bias)} logits; expected: {scores}"
            )
        with named(folder / NETWORK_WEIGHTS) as path:
            saved = cls(description, tokenizer, load_file(path), linear, language_model)
            found = saved.network.head.out_features  # also refuses another architecture's weights
            if found != scores:
                raise ValueError(f"it has {found} logits; expected: {scores}")
        return saved

    @cached_property
    def network(self) -> Network:
        """The network with these weights, in eval mode."""
        about = self.description
        return Network.from_weights(about.network, about.vocabulary_size, self.weights)
