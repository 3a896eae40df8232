"""Calibration: the expected error, and the table for the plot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answers import ANSWERS, class_answers, two

from sentigate.evaluation import calibration
from sentigate.evaluation.calibration import temperature_figures
from sentigate.model.answers import predicted_labels
from sentigate.model.answers import probabilities as probabilities_of


def expected_calibration_error(labels, probabilities, bins):
    """Return the error of the most probable answers; probabilities are (rows,) or (rows, K)."""
    values = two(probabilities) if probabilities.ndim == 1 else probabilities
    return calibration.expected_calibration_error(labels, values, predicted_labels(values), bins)


def test_calibration_error_by_hand():
    # Confidences 0.9, 0.9 (one right), 0.6 (right), 0.7 (wrong), in bins of a tenth.
    labels = np.array([1, 0, 0, 1])
    probabilities = np.array([0.9, 0.9, 0.4, 0.3])
    expected = (2 * abs(0.5 - 0.9) + abs(1 - 0.6) + abs(0 - 0.7)) / 4
    assert expected_calibration_error(labels, probabilities, 10) == pytest.approx(expected)


def test_calibration_error_uses_confidence_not_the_probability_of_positive():
    # Both have confidence 0.8, so they share a bin, and one of them is right.
    labels, probabilities = np.array([1, 1]), np.array([0.8, 0.2])
    assert expected_calibration_error(labels, probabilities, 10) == pytest.approx(0.3)


@pytest.mark.parametrize("bins", [1, 2, 10, 15])
def test_calibration_error_of_a_perfectly_calibrated_model_is_zero(bins):
    labels = np.repeat([1, 0, 1, 0], [3, 1, 2, 8])
    probabilities = np.repeat([0.75, 0.2], [4, 10])
    assert expected_calibration_error(labels, probabilities, bins) == pytest.approx(0, abs=1e-12)


@given(ANSWERS, st.integers(1, 20))
def test_calibration_error_is_at_least_the_overall_gap(pair, bins):
    labels, probabilities = pair
    gap = abs((predicted_labels(probabilities) == labels).mean() - probabilities.max(axis=1).mean())
    got = expected_calibration_error(labels, probabilities, bins)
    assert gap - 1e-9 <= got <= 1
    assert expected_calibration_error(labels, probabilities, 1) == pytest.approx(gap)


def test_calibration_error_needs_a_bin():
    with pytest.raises(ValueError, match="bins must be at least 1"):
        expected_calibration_error(np.array([1]), np.array([0.5]), 0)


def test_calibration_error_of_three_classes_by_hand():
    # Confidences 0.5 (right), 0.5 (wrong) and 0.8 (right).
    labels = np.array([2, 0, 1])
    probabilities = np.array([[0.3, 0.2, 0.5], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    assert expected_calibration_error(labels, probabilities, 10) == pytest.approx(0.2 / 3)


def test_confidence_is_the_probability_of_the_given_answer():
    labels, probabilities = np.array([1]), two(np.array([0.3]))
    error = calibration.expected_calibration_error(labels, probabilities, np.array([1]), 10)
    assert error == pytest.approx(0.7)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_temperature_figures_find_the_answers_without_the_temperature(count):
    labels, _ = class_answers(count)
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 3, (500, 1 if count == 2 else count)).astype(np.float32)
    before, after = probabilities_of(logits), probabilities_of(logits / 1.7)
    predicted = predicted_labels(after)
    got = temperature_figures(labels, after, predicted, 1.7, bins=10)
    error = calibration.expected_calibration_error
    assert got["error_before"] == pytest.approx(error(labels, before, predicted, 10), abs=1e-5)
    assert got["error_after"] == round(error(labels, after, predicted, 10), 6)
    assert got["temperature"] == 1.7


def test_calibration_table_by_hand():
    probabilities = two(np.array([0.0, 0.2, 0.25, 0.9, 1.0]))
    table = calibration.calibration_table(
        np.array([0, 1, 1, 0, 1]), probabilities, predicted_labels(probabilities), bins=5
    )
    assert table.columns.tolist() == ["low", "high", "mean_probability", "positives", "rows"]
    # 0.2 closes the first bin; the third and fourth are empty and left out.
    np.testing.assert_allclose(
        table.to_numpy(dtype=float),
        [[0, 0.2, 0.1, 0.5, 2], [0.2, 0.4, 0.25, 1, 1], [0.8, 1, 0.95, 0.5, 2]],
    )


def test_calibration_table_of_three_classes_is_of_the_answers():
    labels = np.array([2, 0, 1])
    probabilities = np.array([[0.3, 0.2, 0.5], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1]])
    table = calibration.calibration_table(
        labels, probabilities, predicted_labels(probabilities), bins=10
    )
    np.testing.assert_allclose(
        table.to_numpy(dtype=float), [[0.4, 0.5, 0.5, 0.5, 2], [0.7, 0.8, 0.8, 1, 1]]
    )
