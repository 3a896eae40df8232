"""Fitting a classifier, perhaps from a language model of the same texts (Dai and Le 2015)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from torch import Tensor

from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batch, EncodedSplit
from sentigate.model.network.network import Network
from sentigate.settings.model import ModelPreset, TrainingParams

from .fit import BatchSums, Epoch, fit
from .hardware import ONE_CPU, Hardware
from .language_model import LanguageModel


def predict_next(model: LanguageModel, batch: Batch) -> BatchSums:
    """Cross-entropy of the next token, summed over a batch: an objective of ``training.fit``."""
    return BatchSums(*model.score(batch.ids, batch.lengths))


class Fitted(NamedTuple):
    """What came of fitting.

    Attributes:
        weights: the classifier's, of its best epoch.
        epochs: a row per epoch of the classifier, as ``training.fit`` gives it.
        language_model: the weights it started from; None without pretraining.
        language_model_epochs: a row per epoch of that; none without.
    """

    weights: dict[str, Tensor]
    epochs: pd.DataFrame
    language_model: dict[str, Tensor] | None
    language_model_epochs: pd.DataFrame


def fit_classifier(
    model: ModelPreset,
    vocabulary_size: int,
    train: EncodedSplit,
    validation: EncodedSplit,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch, str], None] = lambda epoch, prefix: None,
) -> Fitted:
    """Fit a model of params.yaml: its language model first, where it has pretraining.

    Args:
        model: network and training.
        vocabulary_size: entries of the tokenizer.
        train: as ``training.fit`` takes it, and so the next.
        validation: rows that stop both.
        hardware: what both run on.
        seed: of both.
        scratch: folder for what Lightning may write.
        on_epoch: called with each epoch's row, and ``language_model.`` or nothing, to put before
            its names.

    Raises:
        DataError: there are no validation rows, or the language model learned nothing.
    """
    if not len(validation.labels):
        raise DataError("there are no validation rows to stop by: raise split.validation_size")
    start, start_epochs = None, pd.DataFrame()
    if model.training.pretraining:
        start, start_epochs = pretrain(
            model.network,
            vocabulary_size,
            train,
            validation,
            model.training.pretraining,
            hardware=hardware,
            seed=seed,
            scratch=scratch,
            on_epoch=lambda row: on_epoch(row, "language_model."),
        )
    weights, epochs = fit(
        partial(_network, model.network, vocabulary_size, start),
        train,
        validation,
        model.training,
        full_width=model.network.reads_padding,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=lambda row: on_epoch(row, ""),
    )
    return Fitted(weights, epochs, start, start_epochs)


def _network(
    architecture: Architecture, vocabulary_size: int, start: Mapping[str, Tensor] | None
) -> Network:
    network = Network(architecture, vocabulary_size)
    return start_from(network, start) if start else network


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
) -> tuple[dict[str, Tensor], pd.DataFrame]:
    """Fit a language model; labels have no say. Arguments as ``training.fit`` takes them.

    Returns:
        As ``training.fit``; the epoch with the lowest validation loss is kept.

    Raises:
        DataError: no epoch predicted better than a guess among all tokens.
    """
    weights, epochs = fit(
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
    best, guess = epochs["validation_loss"].min(), math.log(vocabulary_size)
    if not best < guess:  # NaN neither
        raise DataError(
            f"the language model's lowest validation loss is {best:.4g} nats, a guess has "
            f"{guess:.4g}: lower learning_rate under pretraining"
        )
    return weights, epochs


def start_from(network: Network, language_model: Mapping[str, Tensor]) -> Network:
    """``network`` with its encoder as in a language model's weights; pooling and head stay."""
    prefix = "encoder."
    network.encoder.load_state_dict(
        {
            name.removeprefix(prefix): weight
            for name, weight in language_model.items()
            if name.startswith(prefix)
        }
    )
    return network
