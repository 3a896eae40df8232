"""Calibration: the expected error, and the table for the plot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answers import ANSWERS

from sentigate.evaluation.calibration import calibration_table, expected_calibration_error


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
    confidence = np.maximum(probabilities, 1 - probabilities).mean()
    gap = abs(((probabilities >= 0.5) == labels).mean() - confidence)
    got = expected_calibration_error(labels, probabilities, bins)
    assert gap - 1e-9 <= got <= 1
    assert expected_calibration_error(labels, probabilities, 1) == pytest.approx(gap)


def test_calibration_error_needs_a_bin():
    with pytest.raises(ValueError, match="bins must be at least 1"):
        expected_calibration_error(np.array([1]), np.array([0.5]), 0)


def test_calibration_table_by_hand():
    table = calibration_table(
        np.array([0, 1, 1, 0, 1]), np.array([0.0, 0.2, 0.25, 0.9, 1.0]), bins=5
    )
    assert table.columns.tolist() == ["low", "high", "mean_probability", "positives", "rows"]
    # 0.2 closes the first bin; the third and fourth are empty and left out.
    np.testing.assert_allclose(
        table.to_numpy(dtype=float),
        [[0, 0.2, 0.1, 0.5, 2], [0.2, 0.4, 0.25, 1, 1], [0.8, 1, 0.95, 0.5, 2]],
    )
