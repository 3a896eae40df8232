"""The figures of each slice, such as the tweets about an entity or the texts of a domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.errors import DataError, counted
from sentigate.model.labels import log_losses, predicted_labels

from .answers import check_answers
from .intervals import wilson_interval


def slice_figures(frame: pd.DataFrame) -> pd.DataFrame:
    """Compute figures of each slice. The largest slice is first; slices of one size go by name.

    There may be as many slices as texts, and scikit-learn takes milliseconds for each. So all
    slices are computed at once.

    Args:
        frame: ``slice`` (str), ``label`` (0 or 1) and ``probability`` (of class 1).

    Returns:
        ``slice``, ``positives`` (share, float64), and by their keys in ``METRICS`` ``rows``
        (int64), ``accuracy``, ``f1`` and ``log_loss`` (float64); ``accuracy_low`` and
        ``accuracy_high`` are the 95 % interval of Wilson 1927, which holds for small slices too.

    Raises:
        DataError: there are no rows, a row has no slice, or labels or probabilities are out of
            range.
    """
    labels, probabilities = check_answers(
        frame["label"].to_numpy(), frame["probability"].to_numpy()
    )
    codes, names = pd.factorize(frame["slice"], sort=True)
    if (codes < 0).any():
        missing = counted(int((codes < 0).sum()), "row")
        raise DataError(f"{missing} without a slice; every row needs a slice")

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, values, len(names)).astype(np.float64)

    predicted = predicted_labels(probabilities)
    rows, positives, correct = np.bincount(codes), total(labels), total(predicted == labels)
    low, high = wilson_interval(correct, rows)
    either = positives + total(predicted)
    table = pd.DataFrame(
        {
            "slice": np.asarray(names),
            "rows": rows,
            "positives": positives / rows,
            "accuracy": correct / rows,
            "accuracy_low": low,
            "accuracy_high": high,
            # 0 if no row is positive and no row is predicted positive, as in scikit-learn.
            "f1": 2 * total(predicted * labels) / np.maximum(either, 1),
            "log_loss": total(log_losses(labels, probabilities)) / rows,
        }
    )
    # The names are already in order, and a stable sort keeps that order among equal sizes.
    return table.sort_values("rows", ascending=False, kind="stable", ignore_index=True)
