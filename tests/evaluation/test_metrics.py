"""The table of metrics, compared with the definition of each metric."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from support.answers import (
    ANSWERS,
    EVALUATE,
    MOODS,
    STARS,
    answers,
    class_answers,
    some_classes,
    two,
)

from sentigate.errors import DataError
from sentigate.evaluation.intervals import bootstrap_interval
from sentigate.evaluation.metrics import (
    METRICS,
    TEST,
    classification_figures,
    headlines,
    matthews_correlation,
    metrics_of,
)
from sentigate.model.answers import predicted_labels
from sentigate.model.labels import BINARY, Classes


def figures(labels, probabilities, seed=1):
    """Return the figures of answers with probabilities (rows,) of the later of two classes."""
    return classification_figures(labels, two(probabilities), BINARY, EVALUATE, seed)


@given(ANSWERS)
def test_figures_match_their_definitions(pair):
    labels, probabilities = pair[0], pair[1][:, 1]
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
    labels, probabilities = answers()
    got = classification_figures(labels, probabilities, BINARY, EVALUATE, seed=1)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert all(value == round(value, 6) for value in got.values())
    assert got["rows"] == 500
    assert isinstance(got["rows"], int)


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        (
            BINARY,
            ["precision", "recall", "f1", "macro_f1", "balanced_accuracy", "mcc", "auroc"],
        ),
        (MOODS, ["macro_f1", "balanced_accuracy", "mcc", "auroc"]),
        (STARS, ["macro_f1", "balanced_accuracy", "mcc", "auroc"]),
    ],
)
def test_names_in_files_do_not_change(classes: Classes, names: list[str]) -> None:
    """Scripts, MLflow runs and metrics.json of other versions use them."""
    expected = ["rows", "accuracy", "accuracy_low", "accuracy_high", *names]
    expected += ["log_loss", "expected_calibration_error"]
    if classes is STARS:
        expected += ["mean_absolute_error", "quadratic_weighted_kappa"]
    got = classification_figures(*class_answers(classes.count), classes, EVALUATE, seed=1)
    assert list(got) == expected, (
        "METRICS and the names in this test differ: add a new metric's keys here, in the order of "
        "METRICS; keep the keys and the order of the others"
    )


@pytest.mark.parametrize("classes", [BINARY, MOODS, STARS])
def test_every_metric_has_a_legend(classes: Classes) -> None:
    assert (
        len({metric.key for metric in METRICS}) == len({m.title for m in METRICS}) == len(METRICS)
    )
    for metric in metrics_of(classes):
        legend = metric.legend(classes)
        assert re.fullmatch(r"[A-Z][^\n]*\.", legend)
        assert ("Lower is better." in legend) == (metric.better == "lower")
        assert set(metric.headline_on) <= {"validation", "test"}
        assert ("positive" in legend) <= (classes is BINARY)


def test_legends_name_the_classes_of_the_data_set() -> None:
    classes = Classes(names=("ham", "spam"))
    legends = " ".join(metric.legend(classes) for metric in metrics_of(classes))
    assert "Share of the texts predicted spam that are spam" in legends
    assert "Chance that a spam text gets a higher probability than a ham text." in legends
    assert "positive" not in legends


@pytest.mark.parametrize(
    ("classes", "keys"),
    [
        (BINARY, ["accuracy", "f1", "mcc", "log_loss"]),
        (MOODS, ["accuracy", "macro_f1", "mcc", "log_loss"]),
        (STARS, ["accuracy", "macro_f1", "mcc", "log_loss", "mean_absolute_error"]),
    ],
)
def test_short_tables_show_the_figures_of_their_classes(classes: Classes, keys: list[str]) -> None:
    assert [metric.key for metric in headlines(TEST, classes)] == keys


def as_before(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Compute the figures of two classes as versions without other classes did.

    Args:
        labels: 0 or 1, (rows,), both present.
        probabilities: P(positive), float32, (rows,).
    """
    import sklearn.metrics

    probabilities = probabilities.astype(np.float64)
    predicted = (probabilities >= 0.5).astype(np.int64)
    low, high = bootstrap_interval(
        int(np.sum(predicted == labels)), len(labels), EVALUATE.bootstrap_samples, seed=1
    )
    clipped = np.clip(probabilities, 2.0**-23, 1 - 2.0**-23)
    confidence = np.where(predicted == 1, probabilities, 1 - probabilities)
    edges = np.linspace(0, 1, EVALUATE.calibration_bins + 1)[1:]
    gaps = np.bincount(
        np.searchsorted(edges, confidence, side="left"),
        weights=(predicted == labels) - confidence,
    )
    return {
        "rows": len(labels),
        "accuracy": sklearn.metrics.accuracy_score(labels, predicted),
        "accuracy_low": low,
        "accuracy_high": high,
        "precision": sklearn.metrics.precision_score(labels, predicted, zero_division=0),
        "recall": sklearn.metrics.recall_score(labels, predicted, zero_division=0),
        "f1": sklearn.metrics.f1_score(labels, predicted, zero_division=0),
        "mcc": sklearn.metrics.matthews_corrcoef(labels, predicted),
        "auroc": sklearn.metrics.roc_auc_score(labels, probabilities),
        "log_loss": float((-np.log(np.where(labels == 1, clipped, 1 - clipped))).mean()),
        "expected_calibration_error": float(np.abs(gaps).sum() / len(labels)),
    }


@pytest.mark.parametrize("seed", range(20))
def test_figures_of_two_classes_are_those_of_earlier_versions_to_the_bit(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentigate.evaluation import metrics

    monkeypatch.setattr(metrics, "rounded", lambda figures: figures)
    rng = np.random.default_rng(seed)
    labels = np.append([0, 1], rng.binomial(1, rng.uniform(0.1, 0.9), 998)).astype(np.int8)
    logits = (2 * labels - 1) * rng.uniform(0, 2) + rng.normal(0, 10.0 ** rng.uniform(-1, 2), 1000)
    later = (1 / (1 + np.exp(-logits))).astype(np.float32)
    later[::50] = 0.5
    got = classification_figures(labels, two(later), BINARY, EVALUATE, seed=1)
    expected = as_before(labels, later)
    assert {key: got[key] for key in expected} == expected


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_figures_of_any_number_of_classes_are_those_of_scikit_learn(count: int) -> None:
    import sklearn.metrics as reference

    labels, probabilities = class_answers(count)
    classes = some_classes(count)
    got = classification_figures(labels, probabilities, classes, EVALUATE, seed=1)
    predicted = probabilities.argmax(axis=1)
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    areas = {"multi_class": "ovr", "average": "macro"} if count > 2 else {}
    expected = {
        "accuracy": reference.accuracy_score(labels, predicted),
        "macro_f1": reference.f1_score(labels, predicted, average="macro"),
        "balanced_accuracy": reference.balanced_accuracy_score(labels, predicted),
        "mcc": reference.matthews_corrcoef(labels, predicted),
        "auroc": reference.roc_auc_score(labels, exact if count > 2 else exact[:, 1], **areas),
        "log_loss": reference.log_loss(labels, exact),
    }
    assert {key: got[key] for key in expected} == pytest.approx(expected, abs=2e-6)


def test_figures_of_ordered_classes_count_steps() -> None:
    labels = np.array([0, 1, 2, 3, 4, 4])
    predicted = np.array([0, 1, 2, 3, 4, 1])
    got = classification_figures(labels, np.eye(5)[predicted], STARS, EVALUATE, seed=1)
    assert got["mean_absolute_error"] == 0.5
    # One disagreement of 3 steps: 9, against the sum over rows and columns expected by chance.
    expected = sum((y - p) ** 2 for y in labels for p in predicted) / 6
    assert got["quadratic_weighted_kappa"] == pytest.approx(1 - 9 / expected, abs=1e-6)
    # A mistake of one step is a smaller one.
    near = np.array([0, 1, 2, 3, 4, 3])
    less = classification_figures(labels, np.eye(5)[near], STARS, EVALUATE, seed=1)
    assert less["mean_absolute_error"] == pytest.approx(1 / 6, abs=1e-6)
    assert less["quadratic_weighted_kappa"] > got["quadratic_weighted_kappa"]


def test_kappa_of_one_class_alone_is_zero() -> None:
    labels = np.full(3, 2)
    got = classification_figures(labels, np.eye(5)[labels], STARS, EVALUATE, seed=1)
    assert (got["quadratic_weighted_kappa"], got["mean_absolute_error"]) == (0, 0)


def test_a_class_that_is_absent_does_not_count() -> None:
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])
    got = classification_figures(labels, np.eye(3)[predicted], MOODS, EVALUATE, seed=1)
    assert got["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2, abs=1e-6)
    assert got["balanced_accuracy"] == 0.75
    assert got["auroc"] is not None


def test_given_answers_count_and_not_the_most_probable_classes() -> None:
    """A threshold may have decided them."""
    labels, probabilities = np.array([0, 1, 1, 1]), np.array([0.1, 0.3, 0.35, 0.8])
    predicted = predicted_labels(two(probabilities), threshold=0.3)
    assert figures(labels, probabilities)["accuracy"] == 0.5
    got = classification_figures(labels, two(probabilities), BINARY, EVALUATE, 1, predicted)
    assert (got["accuracy"], got["recall"], got["mcc"]) == (1, 1, 1)
    # The probabilities of the answers are 0.9, 0.3, 0.35 and 0.8.
    assert got["expected_calibration_error"] == pytest.approx((0.1 + 0.7 + 0.65 + 0.2) / 4)


def test_the_accuracy_interval_is_the_bootstrap_interval():
    labels, probabilities = answers()[0], answers()[1][:, 1]
    correct = int(((probabilities >= 0.5) == labels).sum())
    low, high = bootstrap_interval(correct, 500, EVALUATE.bootstrap_samples, seed=7)
    got = figures(labels, probabilities, seed=7)
    assert (got["accuracy_low"], got["accuracy_high"]) == (round(low, 6), round(high, 6))


def test_one_class_has_no_auroc():
    assert '"auroc": null' in json.dumps(figures(np.ones(3, int), np.full(3, 0.7)))


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], np.empty((0, 2)), "equally long"),
        ([0, 1], two([0.5]), "equally long"),
        ([0, 1], [0.5, 0.5], "a column for each of two or more classes"),
        ([0, 1], [[1.0], [1.0]], "a column for each of two or more classes"),
        ([[0, 1]], two([0.5]), "equally long"),
        ([0, 2], two([0.5, 0.5]), "labels of 2 classes must be 0 or 1"),
        ([0, 1], two([0.5, 1.1]), "between 0 and 1"),
        ([0, 1], two([-0.1, 0.5]), "between 0 and 1"),
        ([0, 1], two([0.5, np.nan]), "none may be missing"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.6]], "probabilities of the 2 classes must sum to 1"),
        ([0, 1], [[0.2, 0.2, 0.6]] * 2, "have 3 columns, but there are 2 classes: neg"),
    ],
)
def test_wrong_answers_are_refused(labels, probabilities, message):
    with pytest.raises(DataError, match=message):
        classification_figures(
            np.array(labels, dtype=int), np.array(probabilities), BINARY, EVALUATE, seed=1
        )


def test_wrong_answers_of_several_classes_are_refused() -> None:
    thirds = np.full((2, 3), 1 / 3)
    for labels, predicted, message in (
        ([0, 3], None, "labels of 3 classes must be whole numbers from 0 to 2"),
        ([0, 1], [0, 3], "a predicted label of 3 classes is 3"),
        ([0, 1], [0], "equally long"),
        ([0, 1], [0, -1], "whole numbers from 0 on"),
        ([0, 1], [0, np.nan], "whole numbers from 0 on"),
    ):
        given_answers = None if predicted is None else np.array(predicted)
        with pytest.raises(DataError, match=message):
            classification_figures(np.array(labels), thirds, MOODS, EVALUATE, 1, given_answers)


@pytest.mark.parametrize("positives", [50, 89])
def test_mcc_of_a_constant_answer_is_zero_for_any_balance(positives: int) -> None:
    labels = np.repeat([1, 0], [positives, 100 - positives])
    assert matthews_correlation(labels, np.full(100, 1)) == 0
    assert matthews_correlation(labels, labels) == pytest.approx(1)
    assert matthews_correlation(labels, 1 - labels) == pytest.approx(-1)
    assert matthews_correlation(np.ones(3, int), np.full(3, 1)) == 0


def test_mcc_of_several_classes() -> None:
    labels = np.repeat([0, 1, 2, 3], [5, 40, 5, 50])
    assert matthews_correlation(labels, labels) == pytest.approx(1)
    assert matthews_correlation(labels, np.full(100, 3)) == 0
    assert matthews_correlation(np.full(100, 2), labels) == 0
    # Chance: each class is answered as often in each class.
    assert matthews_correlation(np.repeat([0, 1, 2], 3), np.tile([0, 1, 2], 3)) == pytest.approx(0)


@pytest.mark.parametrize("count", [2, 3])
def test_mcc_of_many_rows_does_not_overflow(count: int) -> None:
    labels = np.tile(np.arange(count), 100_000)  # their fourth power is beyond int64
    assert matthews_correlation(labels, labels) == pytest.approx(1)


def test_mcc_refuses_a_missing_answer() -> None:
    with pytest.raises(DataError, match="none may be missing"):
        matthews_correlation(np.array([0, 1]), np.array([1, np.nan]))


def test_mcc_shows_a_good_model_on_skewed_data() -> None:
    """Its accuracy is 0.932; always predicting the more common label has 0.892."""
    labels = np.repeat([1, 0], [892, 108])
    later = np.concatenate([np.repeat([1.0, 0.0], [862, 30]), np.repeat([1.0, 0.0], [38, 70])])
    assert figures(labels, later)["accuracy"] == 0.932
    assert figures(labels, later)["mcc"] > 0.6
