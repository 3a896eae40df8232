"""The wrong answers of a model, and the most confident of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sentigate.model.labels import THRESHOLD, predicted_labels

from .answers import check_answers


def mark_correct(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the column correct (float64, 1 for a right answer, else 0).

    Args:
        rows: columns label (0 or 1) and probability (of class 1).
    """
    right = predicted_labels(rows["probability"].to_numpy()) == rows["label"]
    return rows.assign(correct=right.astype("float64"))


def confident_errors(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the ``count`` wrong answers furthest from the threshold, furthest first, ties by id.

    Args:
        frame: ``id``, ``slice``, ``text``, ``label`` (0 or 1) and ``probability`` (of class 1).
        count: largest number of rows to return.

    Returns:
        The five columns of these rows, with a new index.

    Raises:
        DataError: labels or probabilities are out of range, or there are no rows.
    """
    labels, probabilities = check_answers(
        frame["label"].to_numpy(), frame["probability"].to_numpy()
    )
    columns = ["id", "slice", "text", "label", "probability"]
    mistaken = predicted_labels(probabilities) != labels
    distance = np.abs(probabilities - THRESHOLD)[mistaken]
    wrong: pd.DataFrame = frame.loc[mistaken, columns]
    wrong = wrong.assign(distance=distance).sort_values(
        ["distance", "id"], ascending=[False, True], ignore_index=True
    )
    return wrong[columns].head(count)
