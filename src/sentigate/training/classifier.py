"""Fitting a classifier from its start: random weights, word vectors or a language model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from sentigate.errors import DataError
from sentigate.model.network.batches import EncodedSplit
from sentigate.settings.model import ModelPreset

from .best_epoch import Epoch
from .class_weights import class_weights
from .engine import Fitted, fit
from .hardware import ONE_CPU, Hardware
from .objective import classify
from .start import FromVectors, Start, start_network

EMBEDDING = "encoder.embedding.weight"


def fit_classifier(
    model: ModelPreset,
    vocabulary_size: int,
    scores: int,
    start: Start,
    train: EncodedSplit,
    validation: EncodedSplit,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Fit the network of a model in params.yaml.

    Args:
        model: the model's section of params.yaml.
        vocabulary_size: number of tokenizer entries.
        scores: number of logits.
        start: starting point of the network.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch is kept.
        hardware: hardware to run on.
        seed: seed of the first weights, dropout and the order of batches.
        scratch: folder for files that Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Raises:
        DataError: there are no validation rows, or ``start`` does not fit the network.
    """
    if not len(validation.labels):
        raise DataError(
            "there are no validation rows for early stopping: raise split.validation_size"
        )
    weighting = model.training.class_weights
    weights = class_weights(np.bincount(train.labels), weighting) if weighting else None
    fitted = fit(
        partial(start_network, model.network, vocabulary_size, scores, start),
        train,
        validation,
        model.training,
        objective=partial(classify, class_weights=weights) if weights else classify,
        full_width=model.network.reads_padding,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=on_epoch,
    )
    if fitted.weights and isinstance(start, FromVectors):  # the given vectors are float16
        fitted.weights[EMBEDDING] = fitted.weights[EMBEDDING].half()
    return fitted
