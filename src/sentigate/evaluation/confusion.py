"""The confusion matrix, and figures of each class that follow from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .answers import IntArray


def confusion(labels: IntArray, predicted: IntArray, count: int) -> npt.NDArray[np.int64]:
    """Return the number of rows by true class (rows) and predicted class (columns), (K, K).

    Args:
        labels: true classes, 0 to K-1, (rows,).
        predicted: predicted classes, 0 to K-1, (rows,).
        count: number of classes, K.
    """
    cells = np.bincount(labels.astype(np.int64) * count + predicted, minlength=count * count)
    return cells.reshape(count, count).astype(np.int64)


def class_f1(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the F1 of each class, (..., K), from confusion matrices, (..., K, K).

    It is NaN for a class that neither occurs nor is predicted.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    either = counts.sum(axis=-1) + counts.sum(axis=-2)
    return np.where(either > 0, 2 * right / np.maximum(either, 1), np.nan)


def macro_f1(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the mean F1 of the classes that occur or are predicted, (...), as scikit-learn does.

    Args:
        counts: confusion matrices with at least one row of data each, (..., K, K).
    """
    return np.asarray(np.nanmean(class_f1(counts), axis=-1))


def balanced_accuracy(counts: npt.NDArray[np.int64]) -> float:
    """Return the mean recall of the classes that occur.

    Args:
        counts: a confusion matrix with at least one row of data, (K, K).
    """
    rows = counts.sum(axis=1)
    occurs = rows > 0
    return float((np.diagonal(counts)[occurs] / rows[occurs]).mean())
