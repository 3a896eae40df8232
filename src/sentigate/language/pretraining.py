"""Pretraining: fit a language model to the training texts."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batch, EncodedSplit
from sentigate.settings.model import TrainingParams
from sentigate.training.best_epoch import Epoch
from sentigate.training.engine import Fitted, fit
from sentigate.training.hardware import ONE_CPU, Hardware
from sentigate.training.objective import BatchSums

from .language_model import LanguageModel


def predict_next(model: LanguageModel, batch: Batch) -> BatchSums:
    """Sum the cross-entropy of the next token over a batch: an objective for ``fit``."""
    return BatchSums(*model.score(batch.inputs))


def pretrain(
    architecture: Architecture,
    vocabulary_size: int,
    train: EncodedSplit,
    validation: EncodedSplit,
    params: TrainingParams | None,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Fitted | None:
    """Fit a language model to the texts, without their labels.

    The weights of the epoch with the lowest validation loss are kept.

    Args:
        architecture: architecture of the classifier; the language model has the same encoder.
        vocabulary_size: number of tokenizer entries.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch is kept.
        params: optimisation; None for a model without pretraining.
        hardware: hardware to run on.
        seed: seed of the first weights, dropout and the order of batches.
        scratch: folder for files that Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Returns:
        The language model; None if ``params`` is None.

    Raises:
        DataError: there are no validation rows, or no epoch has a lower validation loss than a
            uniform guess among all tokens.
    """
    if params is None:
        return None
    if not len(validation.labels):
        raise DataError(
            "there are no validation rows for early stopping: raise split.validation_size"
        )
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
    if not best < guess:  # also refuses NaN
        raise DataError(
            f"the language model's lowest validation loss is {best:.4g} nats, and a uniform guess "
            f"has {guess:.4g}: lower learning_rate under pretraining"
        )
    return fitted
