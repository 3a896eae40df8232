"""The points of ROC and precision-recall curves, thinned for the files that `dvc plots` reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

MAX_POINTS = 500
"""More cannot be told apart in a plot."""


def roc_points(labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]) -> pd.DataFrame:
    """``fpr`` and ``tpr``, both ascending from 0 to 1, at most ``MAX_POINTS`` rows.

    Args:
        labels: 0 or 1, both present, shape (rows,).
        probabilities: of class 1, shape (rows,).
    """
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(labels, probabilities)
    return _thinned(pd.DataFrame({"fpr": fpr, "tpr": tpr}))


def precision_recall_points(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> pd.DataFrame:
    """``recall``, ascending from 0 to 1, and ``precision``, at most ``MAX_POINTS`` rows.

    A row's precision is that of all recalls since the row before, so the curve is drawn in steps.

    Args:
        labels: 0 or 1, both present, shape (rows,).
        probabilities: of class 1, shape (rows,).
    """
    from sklearn.metrics import precision_recall_curve

    precision, recall, _ = precision_recall_curve(labels, probabilities, drop_intermediate=True)
    return _thinned(pd.DataFrame({"recall": recall[::-1], "precision": precision[::-1]}))


def beside_roc(model: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """The model's points with ``baseline_tpr``, the baseline's ``tpr`` at the same ``fpr``."""
    height = np.interp(model["fpr"], baseline["fpr"], baseline["tpr"])
    return model.assign(baseline_tpr=height)


def beside_precision_recall(model: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """The model's points with ``baseline_precision`` at the same ``recall``.

    Read off the baseline's steps: between two points precision does not change in a straight line
    (Davis & Goadrich 2006).
    """
    step = np.searchsorted(baseline["recall"].to_numpy(), model["recall"].to_numpy(), side="left")
    return model.assign(baseline_precision=baseline["precision"].to_numpy()[step])


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Rows evenly picked, both ends among them."""
    count = min(len(points), MAX_POINTS)
    kept = np.linspace(0, len(points) - 1, count).round().astype(np.int64)
    return points.iloc[kept].reset_index(drop=True)
