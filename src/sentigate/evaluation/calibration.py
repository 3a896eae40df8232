"""Calibration: whether of texts with probability p a share p is positive."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.labels import predicted_labels

from .answers import FloatArray, IntArray, check_answers


def expected_calibration_error(labels: IntArray, probabilities: FloatArray, bins: int) -> float:
    """Mean gap between confidence in the predicted class and accuracy (Guo et al. 2017, eq. 3).

    Bins are of equal width over (0, 1] and closed on the right, as in the paper. Confidence in the
    likelier of two classes is never below 0.5, so the lower half of the bins stays empty.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, in [0, 1], shape (rows,).
        bins: at least 1.

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
        ValueError: ``bins`` is below 1.
    """
    labels, probabilities = check_answers(labels, probabilities)
    predicted = predicted_labels(probabilities)
    confidence = np.where(predicted == 1, probabilities, 1 - probabilities)
    gaps = np.bincount(_bin_of(confidence, bins), weights=(predicted == labels) - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def temperature_figures(
    labels: IntArray, probabilities: FloatArray, temperature: float, bins: int
) -> dict[str, float | int | None]:
    """What dividing logits by a temperature, fitted on other rows, has changed.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, of logits divided by it, shape (rows,).
        temperature: above 0.
        bins: at least 1.

    Returns:
        ``temperature``, and the calibration error before and after, rounded to 6 decimals so that
        files stay stable.
    """
    after = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    before = 1 / (1 + ((1 - after) / after) ** temperature)
    return {
        "temperature": round(temperature, 6),
        "error_before": round(expected_calibration_error(labels, before, bins), 6),
        "error_after": round(expected_calibration_error(labels, probabilities, bins), 6),
    }


def calibration_table(labels: IntArray, probabilities: FloatArray, bins: int) -> pd.DataFrame:
    """Predicted and observed share of positives, by bins of the probability of class 1.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, in [0, 1], shape (rows,).
        bins: of equal width over [0, 1], closed on the right; at least 1.

    Returns:
        One row for each bin that isn't empty, in order: ``low`` and ``high`` (its edges),
        ``mean_probability``, ``positives`` (observed share) as float64, and ``rows`` as int64.

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
        ValueError: ``bins`` is below 1.
    """
    labels, probabilities = check_answers(labels, probabilities)
    index = _bin_of(probabilities, bins)
    rows = np.bincount(index, minlength=bins)
    filled = rows > 0
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "low": edges[:-1][filled],
            "high": edges[1:][filled],
            "mean_probability": np.bincount(index, probabilities, bins)[filled] / rows[filled],
            "positives": np.bincount(index, labels, bins)[filled] / rows[filled],
            "rows": rows[filled],
        }
    )


def _bin_of(values: FloatArray, bins: int) -> npt.NDArray[np.intp]:
    """The number of each value's bin (low, high]; 0 itself goes to the first."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:], values, side="left")
