"""Calibration: is a share p of the texts with probability p positive?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.labels import predicted_labels

from .answers import FloatArray, IntArray, check_answers


def expected_calibration_error(labels: IntArray, probabilities: FloatArray, bins: int) -> float:
    """Return the mean gap between confidence and accuracy (Guo et al. 2017, eq. 3).

    Confidence is the probability of the predicted class. Bins have equal width over (0, 1] and are
    closed on the right, as in the paper. Confidence is never below 0.5 with two classes, so the
    lower half of the bins stays empty.

    Args:
        labels: 0 or 1, integers, (rows,).
        probabilities: probabilities of class 1, in [0, 1], (rows,).
        bins: number of bins, at least 1.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
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
    """Measure the effect of dividing the logits by a temperature.

    Args:
        labels: 0 or 1, integers, (rows,).
        probabilities: probabilities of class 1 from the divided logits, (rows,).
        temperature: divisor, above 0, fitted on other rows.
        bins: number of bins, at least 1.

    Returns:
        ``temperature``, and the calibration errors ``error_before`` and ``error_after`` the
        division, rounded to 6 decimals so that files stay stable.
    """
    after = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    before = 1 / (1 + ((1 - after) / after) ** temperature)
    return {
        "temperature": round(temperature, 6),
        "error_before": round(expected_calibration_error(labels, before, bins), 6),
        "error_after": round(expected_calibration_error(labels, probabilities, bins), 6),
    }


def calibration_table(labels: IntArray, probabilities: FloatArray, bins: int) -> pd.DataFrame:
    """Return the predicted and the observed share of positives in each bin.

    Args:
        labels: 0 or 1, integers, (rows,).
        probabilities: probabilities of class 1, in [0, 1], (rows,).
        bins: number of bins, at least 1. They have equal width over [0, 1] and are closed on the
            right.

    Returns:
        One row for each bin that isn't empty, in order: ``low`` and ``high`` (its edges),
        ``mean_probability``, ``positives`` (observed share) as float64, and ``rows`` as int64.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
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
    """Return the index of each value's bin (low, high]; the value 0 is in the first bin."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:], values, side="left")
