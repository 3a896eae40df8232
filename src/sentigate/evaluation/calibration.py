"""Calibration: is a share p of the texts answered with probability p answered correctly?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.answers import confidences

from .answers import FloatArray, IntArray, check_answers


def expected_calibration_error(
    labels: IntArray, probabilities: FloatArray, predicted: IntArray, bins: int
) -> float:
    """Return the mean gap between confidence and accuracy (Guo et al. 2017, eq. 3).

    Confidence is the probability of the predicted class. Bins have equal width over (0, 1] and are
    closed on the right, as in the paper. The probability of the most probable of K classes is
    never below 1/K, so the lowest bins stay empty.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class, in [0, 1], (rows, K).
        predicted: answered classes, 0 to K-1, integers, (rows,).
        bins: number of bins, at least 1.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
        ValueError: ``bins`` is below 1.
    """
    labels, probabilities = check_answers(labels, probabilities)
    confidence = confidences(probabilities, predicted)
    gaps = np.bincount(_bin_of(confidence, bins), weights=(predicted == labels) - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def temperature_figures(
    labels: IntArray,
    probabilities: FloatArray,
    predicted: IntArray,
    temperature: float,
    bins: int,
) -> dict[str, float | int | None]:
    """Measure the effect of dividing the logits by a temperature.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class from the divided logits, (rows, K).
        predicted: answered classes, 0 to K-1, (rows,). The temperature does not change them.
        temperature: divisor, above 0, fitted on other rows.
        bins: number of bins, at least 1.

    Returns:
        ``temperature``, and the calibration errors ``error_before`` and ``error_after`` the
        division, rounded to 6 decimals so that files stay stable.
    """
    before = _undivided(probabilities, temperature)
    return {
        "temperature": round(temperature, 6),
        "error_before": round(expected_calibration_error(labels, before, predicted, bins), 6),
        "error_after": round(expected_calibration_error(labels, probabilities, predicted, bins), 6),
    }


def _undivided(probabilities: FloatArray, temperature: float) -> npt.NDArray[np.float64]:
    """Return the probabilities, (rows, K), of the logits before their division."""
    after = np.clip(probabilities.astype(np.float64), 1e-12, 1 - 1e-12)
    if after.shape[1] == 2:
        later = 1 / (1 + ((1 - after[:, 1]) / after[:, 1]) ** temperature)
        return np.stack([1 - later, later], axis=1)
    raised = after**temperature
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def calibration_table(
    labels: IntArray, probabilities: FloatArray, predicted: IntArray, bins: int
) -> pd.DataFrame:
    """Return the predicted and the observed share of a class in each bin.

    With two classes this class is the later one, so that the table covers both answers. With more
    it is the answered class of each row, so the table compares confidence with accuracy.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class, in [0, 1], (rows, K).
        predicted: answered classes, 0 to K-1, integers, (rows,).
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
    values, occurs = calibrated(labels, probabilities, predicted)
    index = _bin_of(values, bins)
    rows = np.bincount(index, minlength=bins)
    filled = rows > 0
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "low": edges[:-1][filled],
            "high": edges[1:][filled],
            "mean_probability": np.bincount(index, values, bins)[filled] / rows[filled],
            "positives": np.bincount(index, occurs, bins)[filled] / rows[filled],
            "rows": rows[filled],
        }
    )


def calibrated(
    labels: IntArray, probabilities: FloatArray, predicted: IntArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the probability whose calibration is shown, and whether its class is the true one.

    It is the probability of the later of two classes; with more classes, that of the answered one.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class, (rows, K).
        predicted: answered classes, 0 to K-1, integers, (rows,).

    Returns:
        Two arrays, (rows,).
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1], labels == 1
    return confidences(probabilities, predicted), labels == predicted


def _bin_of(values: FloatArray, bins: int) -> npt.NDArray[np.intp]:
    """Return the index of each value's bin (low, high]; the value 0 is in the first bin."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:], values, side="left")
