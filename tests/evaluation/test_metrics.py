"""The table of metrics, compared with the definition of each metric."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from support.answers import ANSWERS, EVALUATE, answers

from sentigate.errors import DataError
from sentigate.evaluation.intervals import bootstrap_interval
from sentigate.evaluation.metrics import METRICS, classification_figures, matthews_correlation


def figures(labels, probabilities, seed=1):
    return classification_figures(labels, probabilities, EVALUATE, seed)


@given(ANSWERS)
def test_figures_match_their_definitions(pair):
    labels, probabilities = pair
    got = figures(labels, probabilities)
    predicted = (probabilities >= 0.5).astype(int)
    pairs = list(zip(labels.tolist(), predicted.tolist(), strict=True))
    hit, miss, false, clear = (pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0)))
    spread = (hit + miss) * (false + clear) * (hit + false) * (miss + clear)
    truth = np.where(labels == 1, probabilities, 1 - probabilities).clip(2**-23, 1 - 2**-23)
    expected = {
        "rows": len(labels),
        "accuracy": (hit + clear) / len(labels),
        "precision": hit / (hit + false) if hit + false else 0,
        "recall": hit / (hit + miss) if hit + miss else 0,
        "f1": 2 * hit / (2 * hit + false + miss) if hit + false + miss else 0,
        "mcc": (hit * clear - false * miss) / math.sqrt(spread) if spread else 0,
        "log_loss": -sum(map(math.log, truth)) / len(labels),
    }
    assert {key: got[key] for key in expected} == pytest.approx(expected, abs=1e-6)
    positive, negative = probabilities[labels == 1], probabilities[labels == 0]
    if len(positive) and len(negative):
        above = np.sign(positive[:, None] - negative[None])
        assert got["auroc"] == pytest.approx((above.mean() + 1) / 2, abs=1e-6)
    else:
        assert got["auroc"] is None
    assert got["accuracy_low"] <= got["accuracy_high"]


def test_one_half_is_positive():
    assert figures(np.array([1]), np.array([0.5]))["accuracy"] == 1
    assert figures(np.array([1]), np.array([np.nextafter(0.5, 0)]))["accuracy"] == 0


def test_the_loss_of_a_sure_wrong_answer_is_limited():
    got = figures(np.array([0, 1]), np.array([1, 0], dtype=np.float32))
    assert got["log_loss"] == pytest.approx(23 * np.log(2))


def test_the_loss_of_a_sure_right_answer_is_zero():
    got = figures(np.array([0, 1]), np.array([0, 1], dtype=np.float32))
    assert got["log_loss"] == 0  # rounded; not infinite, as without clipping


def test_figures_are_rounded_json():
    got = figures(*answers())
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert all(value == round(value, 6) for value in got.values())
    assert got["rows"] == 500
    assert isinstance(got["rows"], int)


def test_names_in_files_do_not_change():
    """Scripts, MLflow runs and metrics.json of other versions use them."""
    names = [
        *("rows", "accuracy", "accuracy_low", "accuracy_high", "precision", "recall", "f1"),
        *("mcc", "auroc", "log_loss", "expected_calibration_error"),
    ]
    assert list(figures(*answers())) == names, (
        "METRICS and the names in this test differ: add a new metric's keys here, in the order of "
        "METRICS; keep the keys and the order of the others"
    )


def test_every_metric_has_a_legend():
    assert (
        len({metric.key for metric in METRICS}) == len({m.title for m in METRICS}) == len(METRICS)
    )
    for metric in METRICS:
        assert re.fullmatch(r"[A-Z][^\n]*\.", metric.legend)
        assert ("Lower is better." in metric.legend) == (metric.better == "lower")
        assert set(metric.headline_on) <= {"validation", "test"}


def test_the_accuracy_interval_is_the_bootstrap_interval():
    labels, probabilities = answers()
    correct = int(((probabilities >= 0.5) == labels).sum())
    low, high = bootstrap_interval(correct, 500, EVALUATE.bootstrap_samples, seed=7)
    got = figures(labels, probabilities, seed=7)
    assert (got["accuracy_low"], got["accuracy_high"]) == (round(low, 6), round(high, 6))


def test_one_class_has_no_auroc():
    assert '"auroc": null' in json.dumps(figures(np.ones(3, int), np.full(3, 0.7)))


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "equally long"),
        ([0, 1], [0.5], "equally long"),
        ([[0, 1]], [[0.5, 0.5]], "equally long"),
        ([0, 2], [0.5, 0.5], "labels must be 0 or 1"),
        ([0, 1], [0.5, 1.1], "between 0 and 1"),
        ([0, 1], [-0.1, 0.5], "between 0 and 1"),
        ([0, 1], [0.5, np.nan], "none may be missing"),
    ],
)
def test_wrong_answers_are_refused(labels, probabilities, message):
    with pytest.raises(DataError, match=message):
        figures(np.array(labels, dtype=int), np.array(probabilities, dtype=float))


@pytest.mark.parametrize("positives", [50, 89])
def test_mcc_of_a_constant_answer_is_zero_for_any_balance(positives: int) -> None:
    labels = np.repeat([1, 0], [positives, 100 - positives])
    assert matthews_correlation(labels, np.full(100, 0.9)) == 0
    assert matthews_correlation(labels, labels.astype(float)) == pytest.approx(1)
    assert matthews_correlation(labels, 1.0 - labels) == pytest.approx(-1)
    assert matthews_correlation(np.ones(3, int), np.full(3, 0.9)) == 0


def test_mcc_of_many_rows_does_not_overflow() -> None:
    labels = np.tile([0, 1], 100_000)  # their fourth power is beyond int64
    assert matthews_correlation(labels, labels.astype(np.float32)) == pytest.approx(1)


def test_mcc_refuses_a_missing_probability() -> None:
    with pytest.raises(DataError, match="none may be missing"):
        matthews_correlation(np.array([0, 1]), np.array([0.5, np.nan]))


def test_mcc_shows_a_good_model_on_skewed_data() -> None:
    """Its accuracy is 0.932; always predicting the more common label has 0.892."""
    labels = np.repeat([1, 0], [892, 108])
    answers = np.concatenate([np.repeat([1.0, 0.0], [862, 30]), np.repeat([1.0, 0.0], [38, 70])])
    assert figures(labels, answers)["accuracy"] == 0.932
    assert figures(labels, answers)["mcc"] > 0.6
