"""Figures of each class, compared with scikit-learn and with resampled rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics as reference
from support.answers import EVALUATE, MOODS, answers, class_answers, some_classes

from sentigate.evaluation.class_figures import class_figures
from sentigate.evaluation.intervals import f1_interval, wilson_interval
from sentigate.evaluation.metrics import classification_figures
from sentigate.model.answers import predicted_labels
from sentigate.model.labels import BINARY


@pytest.mark.parametrize("count", [2, 3, 8])
def test_figures_are_those_of_scikit_learn(count: int) -> None:
    labels, probabilities = class_answers(count)
    predicted, classes = predicted_labels(probabilities), some_classes(count)
    got = class_figures(labels, probabilities, predicted, classes, EVALUATE, seed=1)
    assert list(got) == list(classes.names)
    numbers = list(range(count))
    precision, recall, f1, rows = reference.precision_recall_fscore_support(
        labels, predicted, labels=numbers
    )
    for number, figures in enumerate(got.values()):
        expected = {
            "rows": rows[number],
            "precision": precision[number],
            "recall": recall[number],
            "f1": f1[number],
            "auroc": reference.roc_auc_score(labels == number, probabilities[:, number]),
        }
        assert {key: figures[key] for key in expected} == pytest.approx(expected, abs=2e-6)
        for key in ("precision", "recall", "f1"):
            assert figures[f"{key}_low"] < figures[key] < figures[f"{key}_high"]
    found = (predicted == 0).sum()
    low, high = wilson_interval(((predicted == 0) & (labels == 0)).sum(), found)
    first = got[classes.names[0]]
    assert (first["precision_low"], first["precision_high"]) == (
        round(float(low), 6),
        round(float(high), 6),
    )
    assert json.loads(json.dumps(got, allow_nan=False)) == got


def test_the_later_of_two_classes_has_the_figures_of_the_split() -> None:
    labels, probabilities = answers()
    predicted = predicted_labels(probabilities)
    split = classification_figures(labels, probabilities, BINARY, EVALUATE, 1)
    figures = class_figures(labels, probabilities, predicted, BINARY, EVALUATE, 1)["positive"]
    for key in ("precision", "recall", "f1", "auroc"):
        assert figures[key] == split[key]


def test_a_class_that_is_never_predicted_and_one_that_is_absent() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])
    got = class_figures(labels, np.eye(3)[predicted], predicted, MOODS, EVALUATE, seed=1)
    assert (got["neutral"]["precision"], got["neutral"]["precision_low"]) == (0, None)
    assert (got["neutral"]["recall"], got["neutral"]["f1"]) == (0, 0)
    assert got["neutral"]["recall_high"] > 0
    absent = got["positive"]
    assert absent.pop("rows") == 0
    assert {absent.pop(key) for key in ("precision", "recall", "f1")} == {0}
    assert set(absent.values()) == {None}


def test_the_interval_of_f1_is_that_of_resampled_rows() -> None:
    labels, probabilities = class_answers(3, rows=400)
    predicted = predicted_labels(probabilities)
    rng = np.random.default_rng(3)
    values = []
    for _ in range(2000):
        drawn = rng.integers(0, 400, 400)
        true, found = labels[drawn] == 1, predicted[drawn] == 1
        values.append(2 * (true & found).sum() / (true.sum() + found.sum()))
    right = int(((labels == 1) & (predicted == 1)).sum())
    wrong, missed = int((predicted == 1).sum()) - right, int((labels == 1).sum()) - right
    got = f1_interval(right, wrong, missed, 400, samples=20_000, seed=1)
    assert got == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.01)
