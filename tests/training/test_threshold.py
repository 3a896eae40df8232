"""The threshold between two classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, matthews_corrcoef

from sentigate.model.answers import predicted_labels
from sentigate.model.labels import Classes
from sentigate.training.threshold import choose_threshold, threshold_sentences

METRICS = {
    "f1": f1_score,
    "macro_f1": lambda labels, answers: f1_score(labels, answers, average="macro"),
    "balanced_accuracy": balanced_accuracy_score,
    "mcc": matthews_corrcoef,
}


def skewed(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of which 6 % are 1, and probabilities that are nearly always below 0.5."""
    rng = np.random.default_rng(1)
    labels = (rng.random(rows) < 0.06).astype(np.int8)
    later = (1 / (1 + np.exp(3 - 1.5 * labels - rng.normal(0, 1, rows)))).astype(np.float32)
    return labels, np.stack([1 - later, later], axis=1)


@pytest.mark.parametrize("metric", METRICS)
def test_no_other_threshold_is_better(metric: str) -> None:
    labels, probabilities = skewed()
    chosen = choose_threshold(labels, probabilities, metric)
    value = METRICS[metric](labels, predicted_labels(probabilities, chosen))
    assert value > METRICS[metric](labels, predicted_labels(probabilities)) + 0.05
    for threshold in np.unique(probabilities[:, 1]):
        other = METRICS[metric](labels, predicted_labels(probabilities, float(threshold)))
        assert other <= value + 1e-9


def test_of_equal_thresholds_the_nearest_to_a_half_is_chosen() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    assert choose_threshold(np.array([0, 0, 1, 1]), probabilities, "f1") == 0.45


def test_few_texts_of_a_class_give_a_warning() -> None:
    classes = Classes(names=("ham", "spam"))
    labels = np.repeat([0, 1], [500, 50])
    assert list(threshold_sentences(0.2, classes, labels)) == [
        "the answer is spam from a probability of 0.200 on, or else ham"
    ]
    (_, warning) = threshold_sentences(0.2, classes, labels[:-1])
    assert "49 validation texts of class spam" in warning
