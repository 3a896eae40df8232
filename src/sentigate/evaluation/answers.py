"""Labels beside the probabilities that were answered, checked before anything is computed."""

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
