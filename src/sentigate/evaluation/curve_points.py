"""The points of ROC and precision-recall curves, thinned for the files that `dvc plots` reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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
    step = np.searchsorted(baseline["recall"].to_numpy(), model["recall"].to_numpy(), side="left")
    return model.assign(baseline_precision=baseline["precision"].to_numpy()[step])


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """Pick rows at even distances, including both ends."""
    count = min(len(points), MAX_POINTS)
    kept = np.linspace(0, len(points) - 1, count).round().astype(np.int64)
    return points.iloc[kept].reset_index(drop=True)
