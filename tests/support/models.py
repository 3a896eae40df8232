"""Small models, built by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from sentigate.model.fusion import Fusion
from sentigate.model.labels import BINARY, Classes
from sentigate.model.linear_model import LinearDescription, LinearModel
from sentigate.model.network.architecture import Architecture
from sentigate.model.text.cleaning_steps import CleaningSteps
from sentigate.settings.model import VocabParams

if TYPE_CHECKING:
    from sentigate.model.network.network import Network


def architecture(**values: Any) -> Architecture:
    """Return an architecture with ``values``, and simple settings for the rest."""
    return Architecture(**values)


def vocab_params(
    level: str = "word", min_count: int = 1, max_size: int = 1000, order: str = "frequency"
) -> VocabParams:
    """Return the settings of a vocabulary without vectors."""
    return VocabParams(level=level, min_count=min_count, max_size=max_size, order=order)


def linear_model(
    weights: Mapping[tuple[int, ...], float | Sequence[float]],
    bias: float | Sequence[float],
    tokens: Sequence[str],
) -> LinearModel:
    """Return a linear model over ``tokens`` in which each n-gram of ids adds its weights once.

    With more than two classes, a weight and the bias are sequences with a number for each class.
    """
    size = len(tokens)
    codes = {
        sum(token * size**power for power, token in enumerate(reversed(ngram))): weight
        for ngram, weight in weights.items()
    }
    return LinearModel(
        LinearDescription(
            description="by hand",
            ngrams=(1, max(map(len, weights))),
            weighting="naive_bayes",
            words=tuple(tokens),
        ),
        codes=np.array(sorted(codes), dtype=np.int64),
        weights=np.array([np.atleast_1d(codes[code]) for code in sorted(codes)], np.float32).T,
        idf=None,
        characters=None,
        bias=np.atleast_1d(np.array(bias, dtype=np.float32)),
    )


def save_model(
    folder: Path,
    network: Network,
    tokenizer: Tokenizer,
    steps: CleaningSteps,
    max_length: int = 24,
    *,
    linear: LinearModel | None = None,
    fusion: Fusion | None = None,
    classes: Classes = BINARY,
    threshold: float | None = None,
) -> Path:
    """Write a model with any network, as the train stage does, and return its folder.

    Without ``fusion``, the network alone answers.
    """
    from sentigate.model.saved_model import Description, SavedModel  # imports torch

    folder.mkdir(parents=True, exist_ok=True)
    description = Description(
        dataset="vader",
        model="bilstm",
        classes=classes,
        threshold=threshold,
        cleaning=steps,
        max_length=max_length,
        vocabulary_size=tokenizer.get_vocab_size(),
        network=network.architecture,
        start="random",
        precision="32-true",
        fusion=fusion or Fusion(share=0.0, temperature=1.0, prior=(0.0,) * classes.scores),
    )
    SavedModel(description, tokenizer, network.state_dict(), linear).save(folder)
    return folder
