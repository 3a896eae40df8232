"""The wrong answers of a model, and the most confident of them."""

from __future__ import annotations

import pandas as pd

from sentigate.model.answers import confidences, table_columns

from .answers import check_answers, check_labels


def mark_correct(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the column correct (float64, 1 for a right answer, else 0).

    Args:
        rows: columns label and predicted (classes, 0 to K-1).
    """
    return rows.assign(correct=(rows["predicted"] == rows["label"]).astype("float64"))


def confident_errors(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the ``count`` most confident wrong answers, the most confident first, ties by id.

    Args:
        frame: ``id``, ``slice``, ``text``, ``label`` and ``predicted`` (classes, 0 to K-1), and the
            probability of each class, ``probability_0`` to ``probability_{K-1}``.
        count: largest number of rows to return.

    Returns:
        The columns ``id``, ``slice``, ``text``, ``label``, ``predicted`` (int64) and ``confidence``
        (probability of the predicted class, float64) of these rows, with a new index.

    Raises:
        DataError: labels or probabilities are out of range, or there are no rows.
    """
    labels, probabilities = check_answers(frame["label"].to_numpy(), table_columns(frame))
    labels, predicted = check_labels(labels, frame["predicted"].to_numpy())
    answers = frame[["id", "slice", "text"]].assign(
        label=labels, predicted=predicted, confidence=confidences(probabilities, predicted)
    )
    wrong: pd.DataFrame = answers.loc[predicted != labels].sort_values(
        ["confidence", "id"], ascending=[False, True], ignore_index=True
    )
    return wrong.head(count)
