"""Fitting a classifier, perhaps from a language model of the same texts (Dai and Le 2015)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sentigate.data.word_vectors import WordVectors
from sentigate.errors import DataError
from sentigate.model.network.architecture import Architecture
from sentigate.model.network.batches import Batch, EncodedSplit
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network
from sentigate.model.network.ngrams import NgramPart
from sentigate.model.predictor import predict_logits
from sentigate.progress import doing
from sentigate.settings.model import ModelPreset, TrainingParams

from .fit import BatchSums, Epoch, fit
from .hardware import ONE_CPU, Hardware
from .language_model import LanguageModel
from .ngrams import fit_ngrams
from .temperature import fit_temperature


def predict_next(model: LanguageModel, batch: Batch) -> BatchSums:
    """Cross-entropy of the next token, summed over a batch: an objective of ``training.fit``."""
    return BatchSums(*model.score(batch.ids, batch.lengths))


class Entries(NamedTuple):
    """What token ids stand for.

    Attributes:
        tokens: V of them, by id.
        vectors: of each, to start from; their width is the network's embedding size, or 0.
    """

    tokens: Sequence[str]
    vectors: WordVectors


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
    entries: Entries,
    train: EncodedSplit,
    validation: EncodedSplit,
    groups: Sequence[Any],
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch, str], None] = lambda epoch, prefix: None,
) -> Fitted:
    """Fit a model of params.yaml: its language model first, where it has pretraining.

    Args:
        model: network and training.
        entries: of the vocabulary.
        train: as ``training.fit`` takes it, and so the next.
        validation: rows that stop both.
        groups: of each training row; the n-gram part's folds keep groups together.
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
    size, width = entries.vectors.values.shape
    if width not in (0, model.network.embedding_size):
        raise DataError(
            f"network.embedding_size is {model.network.embedding_size}, and the word vectors have "
            f"{width} numbers; allowed with them: {width}"
        )
    ngrams = None
    if model.ngrams:
        ngrams, held_out = fit_ngrams(train, groups, entries.tokens, model.ngrams, seed=seed)
        train = train._replace(held_out=held_out)
        doing("training")
    language_model, language_model_epochs = None, pd.DataFrame()
    if model.training.pretraining:
        language_model, language_model_epochs = pretrain(
            model.network,
            size,
            train,
            validation,
            model.training.pretraining,
            hardware=hardware,
            seed=seed,
            scratch=scratch,
            on_epoch=lambda row: on_epoch(row, "language_model."),
        )
    prior = float(np.mean(train.labels))
    weights, epochs = fit(
        partial(_network, model.network, entries.vectors, ngrams, prior, language_model),
        train,
        validation,
        model.training,
        full_width=model.network.reads_padding,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=lambda row: on_epoch(row, ""),
    )
    if weights:  # else no epoch's loss was finite
        doing("calibrating on validation rows")
        network = Network.from_weights(model.network, size, weights)
        temperature = fit_temperature(predict_logits(network, validation), validation.labels)
        weights["temperature"] = torch.tensor(temperature)
    return Fitted(weights, epochs, language_model, language_model_epochs)


def _network(
    architecture: Architecture,
    vectors: WordVectors,
    ngrams: NgramPart | None,
    prior: float,
    language_model: Mapping[str, Tensor] | None,
) -> Network:
    values, trained_entries, _ = vectors
    embedding = None
    if values.shape[1]:
        embedding = CorrectedEmbedding(torch.from_numpy(values).float(), trained_entries)
    network = Network(architecture, len(values), embedding=embedding, ngrams=ngrams)
    network.prior.fill_(prior).logit_()
    return start_from(network, language_model) if language_model else network


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
