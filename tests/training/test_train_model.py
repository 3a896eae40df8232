"""A whole model of several classes: the network, the fusion, and answers to new texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.params import TINY_MODEL

from sentigate.data.word_vectors import WordVectors
from sentigate.model.answers import predicted_labels, probabilities
from sentigate.model.labels import Classes
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.network import Network
from sentigate.model.predictor import has_known_token, network_logits
from sentigate.settings.model import ModelPreset
from sentigate.training.train_model import train_model

ENTRIES = 40
CLASSES = {count: Classes(names=tuple("abcdefg"[:count])) for count in (2, 3, 7)}
NO_VECTORS = WordVectors(np.zeros((ENTRIES, 0), np.float16), ENTRIES)


def texts(labels: np.ndarray, rng: np.random.Generator) -> EncodedSplit:
    """Return random tokens, of which one, 2 plus the label, shows the class."""
    lengths = rng.integers(2, 9, len(labels)).astype(np.int32)
    ids = rng.integers(10, ENTRIES, (len(labels), 8)) * (np.arange(8) < lengths[:, None])
    ids[np.arange(len(labels)), rng.integers(0, lengths)] = 2 + labels
    return EncodedSplit(ids.astype(np.uint16), lengths, labels.astype(np.int8))


@pytest.mark.parametrize("count", CLASSES)
def test_a_model_learns_its_classes_and_their_shares(count: int, tmp_path: Path) -> None:
    """Class 0 has half of the training texts; the linear model is right about most of them."""
    classes = CLASSES[count]
    model, rng = ModelPreset.model_validate(TINY_MODEL), np.random.default_rng(5)
    labels = np.where(np.arange(1400) % 2, rng.integers(1, count, 1400), 0)
    train, validation, new = (texts(labels[:rows], rng) for rows in (1400, 140, 99))
    truth = np.eye(count)[validation.labels] * 2
    truth = truth[:, 1:] - 1 if count == 2 else truth
    linear = (truth + rng.normal(0, 1, truth.shape)).astype(np.float32)
    trained = train_model(
        model, classes, NO_VECTORS, train, validation, linear, None, seed=1, scratch=tmp_path
    )
    assert trained.logits is not None
    assert trained.fusion is not None
    assert trained.logits.shape == (140, classes.scores)
    network = Network.from_weights(model.network, ENTRIES, trained.classifier.weights)
    assert (trained.logits == network_logits(network, validation)).all()
    fused = probabilities(trained.fusion(trained.logits, linear, has_known_token(validation.ids)))
    by_linear = (predicted_labels(probabilities(linear)) == validation.labels).mean()
    assert (predicted_labels(fused) == validation.labels).mean() > by_linear
    alone = probabilities(network_logits(network, new))
    assert (predicted_labels(alone) == new.labels).mean() > 0.8  # the commonest class: 0.5
    prior = probabilities(np.array([trained.fusion.prior]))
    assert prior[0] == pytest.approx(np.bincount(labels, minlength=count) / 1400)
