"""Fitting a classifier, and the language model that it may start from (Dai and Le 2015)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batch, EncodedSplit
from sentigate.settings.model import ModelPreset, TrainingParams

from .best_epoch import Epoch
from .engine import Fitted, fit
from .hardware import ONE_CPU, Hardware
from .language_model import LanguageModel
from .objective import BatchSums
from .start import FromVectors, Start, start_network

EMBEDDING = "encoder.embedding.weight"


def predict_next(model: LanguageModel, batch: Batch) -> BatchSums:
    """Cross-entropy of the next token, summed over a batch: an objective of ``fit``."""
    return BatchSums(*model.score(batch.inputs))


def fit_classifier(
    model: ModelPreset,
    vocabulary_size: int,
    start: Start,
    train: EncodedSplit,
    validation: EncodedSplit,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Fit the network of a model of params.yaml.

    Args:
        model: network and training.
        vocabulary_size: entries of the tokenizer.
        start: what it starts from.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch is kept.
        hardware: what to run on.
        seed: of initial weights, dropout and the order of batches.
        scratch: folder for what Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Raises:
        DataError: there are no validation rows, or ``start`` does not fit the network.
    """
    if not len(validation.labels):
        raise DataError("there are no validation rows to stop by: raise split.validation_size")
    fitted = fit(
        partial(start_network, model.network, vocabulary_size, start),
        train,
        validation,
        model.training,
        full_width=model.network.reads_padding,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=on_epoch,
    )
    if fitted.weights and isinstance(start, FromVectors):  # as they were read
        fitted.weights[EMBEDDING] = fitted.weights[EMBEDDING].half()
    return fitted


def pretrain(
    architecture: Architecture,
    vocabulary_size: int,
    train: EncodedSplit,
    validation: EncodedSplit,
    params: TrainingParams,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted:
    """Fit a language model; labels have no say. Arguments as ``fit_classifier`` takes them.

    The epoch with the lowest validation loss is kept.

    Raises:
        DataError: there are no validation rows, or no epoch predicted better than a guess among
            all tokens.
    """
    if not len(validation.labels):
        raise DataError("there are no validation rows to stop by: raise split.validation_size")
    fitted = fit(
        partial(LanguageModel, architecture, vocabulary_size),
        train,
        validation,
        params,
        objective=predict_next,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=on_epoch,
    )
    best, guess = fitted.epochs["validation_loss"].min(), math.log(vocabulary_size)
    if not best < guess:  # NaN neither
        raise DataError(
            f"the language model's lowest validation loss is {best:.4g} nats, a guess has "
            f"{guess:.4g}: lower learning_rate under pretraining"
        )
    return fitted
