"""A model of params.yaml, from its vocabulary's vectors to how its parts answer together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sentigate.data.word_vectors import WordVectors
from sentigate.model.fusion import Fusion, Logits
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import network_logits
from sentigate.progress import doing
from sentigate.settings.model import ModelPreset

from .best_epoch import Epoch
from .classifier import fit_classifier, pretrain
from .engine import Fitted
from .fusion import fit_fusion
from .hardware import ONE_CPU, Hardware
from .start import FromLanguageModel, Start, from_vectors


class Trained(NamedTuple):
    """What came of training.

    Attributes:
        start: what the network started from.
        classifier: the fitted network.
        language_model: the language model that it started from; None without one.
        logits: the network's on the validation rows, (rows,) float32; None where no epoch's loss
            was finite.
        fusion: how network and linear model answer together; None as ``logits``.
    """

    start: Start
    classifier: Fitted
    language_model: Fitted | None
    logits: Logits | None
    fusion: Fusion | None


def train_model(
    model: ModelPreset,
    vectors: WordVectors,
    train: EncodedSplit,
    validation: EncodedSplit,
    linear: Logits | None,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch, str], None] = lambda epoch, prefix: None,
) -> Trained:
    """Fit the language model where there is one, then the network, then the fusion.

    Args:
        model: what to train.
        vectors: of each entry of the vocabulary; of width 0 for none.
        train: rows to learn from.
        validation: rows that decide when to stop, which epoch is kept, and the fusion.
        linear: the linear model's logits of the validation rows, (rows,); None where it has no
            share.
        hardware: what to run on.
        seed: of initial weights, dropout and the order of batches.
        scratch: folder for what Lightning may write.
        on_epoch: called with each epoch's row, and ``language_model.`` or nothing, to put before
            its names.

    Raises:
        DataError: there are no validation rows, the language model learned nothing, or the vectors
            do not fit the network.
    """
    vocabulary_size = len(vectors.values)
    start: Start = None
    language_model = None
    if model.training.pretraining:
        language_model = pretrain(
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
        start = FromLanguageModel(language_model.weights)
    elif vectors.values.shape[1]:
        start = from_vectors(vectors, model.training.vector_correction, train)
    fitted = fit_classifier(
        model,
        vocabulary_size,
        start,
        train,
        validation,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=lambda row: on_epoch(row, ""),
    )
    if not fitted.weights:
        return Trained(start, fitted, language_model, None, None)
    with doing("calibrating on validation"):
        network = Network.from_weights(model.network, vocabulary_size, fitted.weights)
        logits = network_logits(network, validation)
        fusion = fit_fusion(logits, linear, validation.labels, float(train.labels.mean()))
    return Trained(start, fitted, language_model, logits, fusion)
