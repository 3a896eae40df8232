"""The points of ROC and precision-recall curves, thinned for the files that `dvc plots` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .answers import FloatArray, IntArray

MAX_POINTS = 500
"""More points cannot be distinguished in a plot."""


def roc_points(labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]) -> pd.DataFrame:
    """Return ``fpr`` and ``tpr``, both ascending from 0 to 1, in at most ``MAX_POINTS`` rows.

    Args:
        labels: 0 or 1, both present, (rows,).
        probabilities: probabilities of class 1, (rows,).
    """
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(labels, probabilities)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall_points(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> pd.DataFrame:
    """Return ``recall``, ascending from 0 to 1, and ``precision``, in at most ``MAX_POINTS`` rows.

    A row's precision holds for all recalls since the previous row, so the curve has steps.

    Args:
        labels: 0 or 1, both present, (rows,).
        probabilities: probabilities of class 1, (rows,).
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, probabilities, drop_intermediate=True)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def beside_roc(model: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """Add ``baseline_tpr``, the baseline's ``tpr`` at the same ``fpr``, to the model's points."""
    height = np.interp(model["fpr"], baseline["fpr"], baseline["tpr"])
    return model.assign(baseline_tpr=height)


def beside_precision_recall(model: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """Add ``baseline_precision``, the baseline's precision at the same ``recall``.

    It comes from the baseline's steps, because precision between two points is not linear (Davis &
    Goadrich 2006).
    """
    return model.assign(baseline_precision=_step(baseline, model["recall"].to_numpy()))


def class_curves(
    labels: IntArray, probabilities: FloatArray, points: Callable[[Any, Any], pd.DataFrame]
) -> dict[int, pd.DataFrame]:
    """Return the curve of each class against the rest; of two classes, only that of the later.

    Args:
        labels: true classes, 0 to K-1, at least two of them present, (rows,).
        probabilities: probability of each class, (rows, K).
        points: ``roc_points`` or ``precision_recall_points``.

    Returns:
        Class -> its curve. A class that does not occur has none.
    """
    count = probabilities.shape[1]
    numbers = [1] if count == 2 else [number for number in range(count) if number in labels]
    return {number: points(labels == number, probabilities[:, number]) for number in numbers}


def mean_roc(curves: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean ``tpr`` of several ``roc_points``, at ``MAX_POINTS`` even ``fpr``.

    The curve of a single class is returned as it is.
    """
    curves = list(curves)
    if len(curves) == 1:
        return curves[0]
    fpr = np.linspace(0, 1, MAX_POINTS)
    heights = [np.interp(fpr, curve["fpr"], curve["tpr"]) for curve in curves]
    # A curve rises at 0, so a point (0, 0) comes first, as on each of the curves.
    return pd.DataFrame(
        {"fpr": np.append(0.0, fpr), "tpr": np.append(0.0, np.mean(heights, axis=0))}
    )


def mean_precision_recall(curves: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean ``precision`` of several curves, at ``MAX_POINTS`` even ``recall``.

    The curve of a single class is returned as it is.
    """
    curves = list(curves)
    if len(curves) == 1:
        return curves[0]
    recall = np.linspace(0, 1, MAX_POINTS)
    heights = [_step(curve, recall) for curve in curves]
    return pd.DataFrame({"recall": recall, "precision": np.mean(heights, axis=0)})


def _step(curve: pd.DataFrame, recall: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the precision at each ``recall``, (points,), from a curve's steps."""
    step = np.searchsorted(curve["recall"].to_numpy(), recall, side="left")
    precision: npt.NDArray[np.float64] = curve["precision"].to_numpy()[step]
    return precision


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Pick rows at even distances, including both ends."""
    count = min(len(points), MAX_POINTS)
    kept = np.linspace(0, len(points) - 1, count).round().astype(np.int64)
    return points.iloc[kept].reset_index(drop=True)
