"""Checks of labels and of the answered probabilities, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]
TOLERANCE = 1e-3
"""Largest distance of a row's sum of probabilities from 1; half-precision answers stay below it."""


def check_answers(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return labels as int64, (rows,), and probabilities as float64, (rows, K), at least 1 row.

    With two classes, the earlier class gets exactly 1 minus the probability of the later class.
    Models compute only the latter, and float32 rounds their difference from 1.

    Raises:
        DataError: the shapes are not (rows,) and (rows, K) with 2 or more classes, there are no
            rows, a label is not one of 0 to K-1, a probability is missing or outside [0, 1], or the
            probabilities of a row do not sum to 1.
    """
    if (
        labels.ndim != 1
        or probabilities.ndim != 2
        or len(labels) != len(probabilities)
        or not len(labels)
        or probabilities.shape[1] < 2
    ):
        raise DataError(
            "labels and probabilities must be equally long, with at least one row, and the "
            "probabilities must have a column for each of two or more classes; their shapes are "
            f"{labels.shape} and {probabilities.shape}"
        )
    count = probabilities.shape[1]
    if not np.isin(labels, range(count)).all():
        raise DataError(f"labels of {count} classes must be {_numbers(count)}")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError("probabilities must be between 0 and 1, and none may be missing")
    exact = probabilities.astype(np.float64)
    if (np.abs(exact.sum(axis=1) - 1) > TOLERANCE).any():
        raise DataError(f"the probabilities of the {count} classes must sum to 1 in each row")
    if count == 2:
        exact[:, 0] = 1 - exact[:, 1]
    return labels.astype(np.int64), exact


def check_labels(
    labels: npt.NDArray[Any], predicted: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return true and predicted labels as int64, both (rows,), with at least 1 row.

    Raises:
        DataError: the shapes differ or are not (rows,), there are no rows, or a value is not a
            whole number from 0 on.
    """
    if labels.ndim != 1 or labels.shape != predicted.shape or not len(labels):
        raise DataError(
            "labels and predicted labels must be equally long, with one dimension and at least "
            f"one row; their shapes are {labels.shape} and {predicted.shape}"
        )
    for values in (labels, predicted):
        if not np.issubdtype(values.dtype, np.integer) or (values < 0).any():
            raise DataError("labels must be whole numbers from 0 on, and none may be missing")
    return labels.astype(np.int64), predicted.astype(np.int64)


def _numbers(count: int) -> str:
    return "0 or 1" if count == 2 else f"whole numbers from 0 to {count - 1}"
