"""Train a model of params.yaml: its network, the fusion with the linear model, the threshold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentigate.data.word_vectors import WordVectors
from sentigate.model.answers import Logits, probabilities
from sentigate.model.fusion import Fusion
from sentigate.model.labels import Classes
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import has_known_token, network_logits
from sentigate.progress import doing
from sentigate.settings.model import ModelPreset

from .best_epoch import Epoch
from .classifier import fit_classifier
from .engine import Fitted
from .fusion import fit_fusion
from .hardware import ONE_CPU, Hardware
from .start import FromLanguageModel, Start, from_vectors
from .threshold import choose_threshold


class Trained(NamedTuple):
    """A trained model.

    Attributes:
        start: starting point of the network.
        classifier: fitted network.
        logits: the network's logits of the validation rows, (rows, S) float32; None if no epoch's
            loss was finite.
        fusion: fusion of the network and the linear model; None if ``logits`` is None.
        threshold: threshold between two classes; None for the most probable class.
    """

    start: Start
    classifier: Fitted
    logits: Logits | None
    fusion: Fusion | None
    threshold: float | None


def train_model(
    model: ModelPreset,
    classes: Classes,
    vectors: WordVectors,
    train: EncodedSplit,
    validation: EncodedSplit,
    linear: Logits | None,
    language_model: Fitted | None,
    *,
    hardware: Hardware = ONE_CPU,
    seed: int,
    scratch: Path,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Trained:
    """Fit the network, then the fusion and the threshold.

    Args:
        model: the model's section of params.yaml.
        classes: classes of the labels.
        vectors: a vector for each vocabulary entry; a width of 0 means no vectors.
        train: rows to learn from.
        validation: rows that decide when to stop, which epoch is kept, the fusion and the
            threshold.
        linear: the linear model's logits of the validation rows, (rows, S); None for a model
            without fusion.
        language_model: the language model to start from; None without one.
        hardware: hardware to run on.
        seed: seed of the first weights, dropout and the order of batches.
        scratch: folder for files that Lightning may write.
        on_epoch: called with each epoch's row as it ends.

    Raises:
        DataError: there are no validation rows, or the vectors do not fit the network.
    """
    vocabulary_size = len(vectors.values)
    start: Start = None
    if language_model:
        start = FromLanguageModel(language_model.weights)
    elif vectors.values.shape[1]:
        start = from_vectors(vectors, model.training.vector_correction, train)
    fitted = fit_classifier(
        model,
        vocabulary_size,
        classes.scores,
        start,
        train,
        validation,
        hardware=hardware,
        seed=seed,
        scratch=scratch,
        on_epoch=on_epoch,
    )
    if not fitted.weights:
        return Trained(start, fitted, None, None, None)
    with doing("calibrating on validation"):
        network = Network.from_weights(model.network, vocabulary_size, fitted.weights)
        logits = network_logits(network, validation)
        counts = np.bincount(train.labels, minlength=classes.count)
        fusion = fit_fusion(logits, linear, validation.labels, counts / counts.sum())
        threshold = None
        if metric := model.training.threshold_metric:
            answers = fusion(logits, linear, has_known_token(validation.ids))
            threshold = choose_threshold(validation.labels, probabilities(answers), metric)
    return Trained(start, fitted, logits, fusion, threshold)
