"""Checks of labels and of the answered probabilities, before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.floating[Any]]


def check_answers(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return labels as int64 and probabilities as float64, both (rows,), with at least 1 row.

    Raises:
        DataError: the shapes differ or are not (rows,), there are no rows, a label is not 0 or 1,
            or a probability is missing or outside [0, 1].
    """
    if labels.ndim != 1 or labels.shape != probabilities.shape or not len(labels):
        raise DataError(
            "labels and probabilities must be equally long, with one dimension and at least one "
            f"row; their shapes are {labels.shape} and {probabilities.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise DataError("labels must be 0 or 1")
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise DataError("probabilities must be between 0 and 1, and none may be missing")
    return labels.astype(np.int64), probabilities.astype(np.float64)
