"""Figures of a binary classifier, computed from labels and probabilities."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.errors import DataError, counted
from sentigate.model.labels import THRESHOLD, log_losses

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """How well probabilities match labels; the positive class is 1."""

    rows: int
    accuracy: float
    accuracy_low: float
    """Lower end of the 95 % bootstrap interval."""
    accuracy_high: float
    precision: float
    """0 where nothing was called positive."""
    recall: float
    """0 where nothing is positive."""
    f1: float
    mcc: float
    """Matthews correlation coefficient; 0 where it is undefined."""
    auroc: float | None
    """None where the rows hold one class only."""
    log_loss: float
    """Mean, in nats; probabilities are clipped to float32's epsilon."""
    expected_calibration_error: float

    def as_dict(self) -> dict[str, float | int | None]:
        """The figures as JSON holds them, rounded to 6 decimals so that files stay stable."""
        values: dict[str, float | int | None] = dataclasses.asdict(self)
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in values.items()
        }


def classification_figures(
    labels: IntArray, probabilities: FloatArray, *, samples: int, bins: int, seed: int
) -> Figures:
    """All figures of one set of rows.

    The interval of the accuracy is the percentile bootstrap (Efron 1979). Drawing ``rows`` rows
    with replacement finds a right answer with probability ``accuracy`` each time, so the number of
    right answers in a resample is binomial: it's drawn as such, which is exact and instant.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, float32 or float64 in [0, 1], shape (rows,).
        samples: resamples of the bootstrap.
        bins: of the expected calibration error.
        seed: of the bootstrap.

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
        ValueError: ``samples`` or ``bins`` is below 1.
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, not {samples}")
    labels, probabilities = check_answers(labels, probabilities)
    rows = len(labels)
    predicted = probabilities >= THRESHOLD
    hits = float(np.sum(predicted & (labels == 1)))
    correct = int(np.sum(predicted == labels))
    resampled = np.random.default_rng(seed).binomial(rows, correct / rows, samples) / rows
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figures(
        rows=rows,
        accuracy=correct / rows,
        accuracy_low=float(low),
        accuracy_high=float(high),
        precision=float(_ratio(hits, predicted.sum())),
        recall=float(_ratio(hits, labels.sum())),
        f1=float(_ratio(2 * hits, predicted.sum() + labels.sum())),
        mcc=matthews_correlation(labels, probabilities),
        auroc=_auroc(labels, probabilities),
        log_loss=float(log_losses(labels, probabilities).mean()),
        expected_calibration_error=expected_calibration_error(labels, probabilities, bins),
    )


def matthews_correlation(labels: IntArray, probabilities: FloatArray) -> float:
    """Correlation of labels and answers (Matthews 1975): 1 is perfect, 0 what chance reaches.

    Unlike accuracy it means the same for any balance of labels. It is 0 where it is undefined,
    because the labels or the answers are all alike.

    Args:
        labels: 0 or 1, integers, shape (rows,).
        probabilities: of class 1, in [0, 1], shape (rows,).

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
    """
    labels, probabilities = check_answers(labels, probabilities)
    positive = probabilities >= THRESHOLD
    rows, actual, predicted = len(labels), int(labels.sum()), int(positive.sum())
    both = int(labels[positive].sum())
    # Python's integers: products of four counts overflow numpy's.
    spread = math.sqrt(actual * (rows - actual) * predicted * (rows - predicted))
    return (rows * both - actual * predicted) / spread if spread else 0.0


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
    predicted = probabilities >= THRESHOLD
    confidence = np.where(predicted, probabilities, 1 - probabilities)
    gaps = np.bincount(_bin_of(confidence, bins), weights=(predicted == labels) - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def calibration_table(labels: IntArray, probabilities: FloatArray, bins: int) -> pd.DataFrame:
    """Said and observed share of positives, by bins of the probability of the positive class.

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


def slice_figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Figures of each slice, the largest first, slices of one size by name.

    Args:
        frame: ``slice`` (str), ``label`` (0 or 1) and ``probability`` (of class 1).

    Returns:
        ``slice``, ``rows`` (int64), and as float64 ``positives`` (share), ``accuracy``,
        ``accuracy_low`` and ``accuracy_high`` (95 % interval of Wilson 1927, which holds for small
        slices too), ``f1`` (0 where it's undefined, as in scikit-learn) and ``log_loss``.

    Raises:
        DataError: no rows, a slice is missing, or labels or probabilities are out of range.
    """
    labels, probabilities = check_answers(
        frame["label"].to_numpy(), frame["probability"].to_numpy()
    )
    codes, names = pd.factorize(frame["slice"], sort=True)
    if (codes < 0).any():
        missing = counted(int((codes < 0).sum()), "row")
        raise DataError(f"{missing} without a slice; every row needs one")

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, values, len(names)).astype(np.float64)

    predicted = probabilities >= THRESHOLD
    rows, positives, correct = np.bincount(codes), total(labels), total(predicted == labels)
    low, high = wilson_interval(correct, rows)
    table = pd.DataFrame(
        {
            "slice": np.asarray(names),
            "rows": rows,
            "positives": positives / rows,
            "accuracy": correct / rows,
            "accuracy_low": low,
            "accuracy_high": high,
            "f1": _ratio(2 * total(predicted & (labels == 1)), positives + total(predicted)),
            "log_loss": total(log_losses(labels, probabilities)) / rows,
        }
    )
    # The names are in order already, and a stable sort keeps that among slices of one size.
    return table.sort_values("rows", ascending=False, kind="stable", ignore_index=True)


def confident_errors(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """The ``count`` wrong answers furthest from the threshold, surest first, ties by id.

    Args:
        frame: ``id``, ``slice``, ``text``, ``label`` (0 or 1) and ``probability`` (of class 1).
        count: rows wanted at most.

    Returns:
        The five columns of those rows, newly numbered.

    Raises:
        DataError: labels or probabilities are out of range, or there are no rows.
    """
    labels, probabilities = check_answers(
        frame["label"].to_numpy(), frame["probability"].to_numpy()
    )
    columns = ["id", "slice", "text", "label", "probability"]
    mistaken = (probabilities >= THRESHOLD) != labels
    distance = np.abs(probabilities - THRESHOLD)[mistaken]
    wrong: pd.DataFrame = frame.loc[mistaken, columns]
    wrong = wrong.assign(distance=distance).sort_values(
        ["distance", "id"], ascending=[False, True], ignore_index=True
    )
    return wrong[columns].head(count)


def wilson_interval(
    correct: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Ends of the 95 % score interval of ``correct / rows`` (Wilson 1927), of the same shape."""
    share = correct / rows
    centre = share + Z95**2 / (2 * rows)
    spread = Z95 * np.sqrt(share * (1 - share) / rows + (Z95 / (2 * rows)) ** 2)
    scale = 1 + Z95**2 / rows
    return np.clip((centre - spread) / scale, 0, 1), np.clip((centre + spread) / scale, 0, 1)


def check_answers(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Labels and probabilities as int64 and float64, both of shape (rows,), rows at least 1.

    Raises:
        DataError: they are not that, or hold labels other than 0 and 1 or probabilities outside
            [0, 1] or missing.
    """
    if labels.ndim != 1 or labels.shape != probabilities.shape or not len(labels):
        raise DataError(
            "labels and probabilities must be two equally long rows of numbers, not "
            f"of shape {labels.shape} and {probabilities.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise DataError("labels must be 0 or 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError("probabilities must be between 0 and 1, and none may be missing")
    return labels.astype(np.int64), probabilities.astype(np.float64)


def _auroc(labels: IntArray, probabilities: FloatArray) -> float | None:
    if labels.min() == labels.max():
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, probabilities))


def _bin_of(values: FloatArray, bins: int) -> npt.NDArray[np.intp]:
    """The number of each value's bin (low, high]; 0 itself goes to the first."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}")
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:], values, side="left")


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """``part / whole``, 0 where ``whole`` is 0."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    ratio = np.zeros_like(part)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
