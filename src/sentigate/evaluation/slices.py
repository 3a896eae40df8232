"""The figures of each slice, such as the tweets about an entity or the texts of a domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.errors import DataError, counted
from sentigate.model.answers import log_losses, table_columns
from sentigate.model.labels import Classes

from .answers import check_answers, check_labels
from .confusion import macro_f1
from .intervals import wilson_interval


def slice_figures(frame: pd.DataFrame, classes: Classes) -> pd.DataFrame:
    """Compute figures of each slice. The largest slice is first; slices of one size go by name.

    There may be as many slices as texts, and scikit-learn takes milliseconds for each. So all
    slices are computed at once.

    Args:
        frame: ``slice`` (str), ``label`` and ``predicted`` (classes, 0 to K-1), and the probability
            of each class, ``probability_0`` to ``probability_{K-1}``.
        classes: names of the K classes.

    Returns:
        ``slice``, and by their keys in ``METRICS`` ``rows`` (int64), ``accuracy`` and ``log_loss``
        (float64); ``accuracy_low`` and ``accuracy_high`` are the 95 % interval of Wilson 1927,
        which holds for small slices too. With two classes also ``positives`` (share of the later
        class) and its ``f1``; with more also ``macro_f1``; all float64.

    Raises:
        DataError: there are no rows, a row has no slice, or labels or probabilities are out of
            range.
    """
    labels, probabilities = check_answers(frame["label"].to_numpy(), table_columns(frame))
    labels, predicted = check_labels(labels, frame["predicted"].to_numpy())
    codes, names = pd.factorize(frame["slice"], sort=True)
    if (codes < 0).any():
        missing = counted(int((codes < 0).sum()), "row")
        raise DataError(f"{missing} without a slice; every row needs a slice")

    def total(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.bincount(codes, values, len(names)).astype(np.float64)

    rows, correct = np.bincount(codes), total(predicted == labels)
    low, high = wilson_interval(correct, rows)
    table = pd.DataFrame({"slice": np.asarray(names), "rows": rows})
    if classes.count == 2:
        table["positives"] = total(labels) / rows
    table = table.assign(accuracy=correct / rows, accuracy_low=low, accuracy_high=high)
    if classes.count == 2:
        # 0 if no row is positive and no row is predicted positive, as in scikit-learn.
        either = total(labels) + total(predicted)
        table["f1"] = 2 * total(predicted * labels) / np.maximum(either, 1)
    else:
        table["macro_f1"] = _macro_f1(codes, labels, predicted, len(names), classes.count)
    table["log_loss"] = total(log_losses(labels, probabilities)) / rows
    # The names are already in order, and a stable sort keeps that order among equal sizes.
    return table.sort_values("rows", ascending=False, kind="stable", ignore_index=True)


def _macro_f1(
    codes: npt.NDArray[np.intp],
    labels: npt.NDArray[np.int64],
    predicted: npt.NDArray[np.int64],
    slices: int,
    count: int,
) -> npt.NDArray[np.float64]:
    """Return the macro F1 of each slice, (slices,)."""
    values = np.empty(slices)
    # Some thousand slices at a time, because each needs count * count numbers.
    step = max(1, 2**22 // count**2)
    for start in range(0, slices, step):
        chosen = (codes >= start) & (codes < start + step)
        size = min(step, slices - start)
        cells = ((codes[chosen] - start) * count + labels[chosen]) * count + predicted[chosen]
        counts = np.bincount(cells, minlength=size * count * count).reshape(size, count, count)
        values[start : start + size] = macro_f1(counts)
    return values
