"""Small models, built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from sentigate.model.fusion import Fusion
from sentigate.model.linear_model import LinearDescription, LinearModel
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.network import Network
from sentigate.model.saved_model import Description, SavedModel
from sentigate.model.text.cleaning_steps import CleaningSteps
from sentigate.settings.model import VocabParams

UNFUSED = Fusion(share=0.0, temperature=1.0, prior=0.0)
"""Leaves the network's answers unchanged."""


def architecture(**values: Any) -> Architecture:
    """Return an architecture with ``values``, and simple settings for the rest."""
    return Architecture(**values)


def vocab_params(
    level: str = "word", min_count: int = 1, max_size: int = 1000, order: str = "frequency"
) -> VocabParams:
    """Return the settings of a vocabulary without vectors."""
    return VocabParams(level=level, min_count=min_count, max_size=max_size, order=order)


def linear_model(
    weights: dict[tuple[int, ...], float], bias: float, tokens: Sequence[str]
) -> LinearModel:
    """Return a linear model over ``tokens`` in which each n-gram of ids adds its weight once."""
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
        weights=np.array([codes[code] for code in sorted(codes)], dtype=np.float32),
        idf=None,
        characters=None,
        bias=bias,
    )


def save_model(
    folder: Path,
    network: Network,
    tokenizer: Tokenizer,
    steps: CleaningSteps,
    max_length: int = 24,
    *,
    linear: LinearModel | None = None,
    fusion: Fusion = UNFUSED,
) -> Path:
    """Write a model with any network, as the train stage does, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    description = Description(
        dataset="vader",
        model="bilstm",
        cleaning=steps,
        max_length=max_length,
        vocabulary_size=tokenizer.get_vocab_size(),
        network=network.architecture,
        start="random",
        precision="32-true",
        fusion=fusion,
    )
    SavedModel(description, tokenizer, network.state_dict(), linear).save(folder)
    return folder
