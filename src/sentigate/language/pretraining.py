"""Pretraining: a language model learns the training texts."""

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
    """Cross-entropy of the next token, summed over a batch: an objective of ``fit``."""
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
    """Fit a language model to the texts; the labels take no part.

    The epoch of lowest validation loss is kept.

    Args:
        architecture: architecture of the classifier, whose encoder the language model has too.
        vocabulary_size: entries of the tokenizer.
        train: rows to learn from.
        validation: rows that decide when to stop and which epoch is kept.
        params: optimisation; None for a model without pretraining.
        hardware: hardware to run on.
        seed: seed of the first weights, dropout and the order of batches.
        scratch: folder for files that Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Returns:
        The language model; None where ``params`` is None.

    Raises:
        DataError: there are no validation rows, or in no epoch the model predicted better than a
            guess among all tokens.
    """
    if params is None:
        return None
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
