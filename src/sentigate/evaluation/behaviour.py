"""The behaviour of a model on texts made to test it (CheckList, Ribeiro et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.labels import CLASSES, predicted_labels

from .behaviour_cases import NOT_HIGHER, NOT_LOWER, SAME, Case, Suite
from .metrics import Figures

Predict = Callable[[Sequence[str]], npt.NDArray[Any]]
EXAMPLES = 3
"""Largest number of failures shown for each capability."""


def judge_cases(suite: Suite, predict: Predict) -> pd.DataFrame:
    """Run a model on each case and decide whether the model passes.

    A model passes an MFT case if it predicts the expected label. It passes an INV case if the label
    stays the same, or the probability changes by at most the tolerance. It passes a DIR case if the
    probability moves in the wrong direction by at most the tolerance.

    Args:
        suite: the tests.
        predict: function from raw texts to P(positive), (texts,).

    Returns:
        A row for each case, in the suite's order: the fields of ``Case`` (str), probability and
        changed_probability (float64; NaN for a case without a change), passed (bool).
    """
    table = pd.DataFrame(suite.cases, columns=list(Case._fields))
    texts = [text for text in pd.concat([table["text"], table["changed"]]).unique() if text]
    answers = dict(zip(texts, predict(texts).astype(np.float64), strict=True))
    before, after = (table[column].map(answers) for column in ("text", "changed"))
    label, label_after = (predicted_labels(values.to_numpy()) for values in (before, after))
    moved = after - before
    passed = np.select(
        [table["expect"] == expect for expect in (SAME, NOT_LOWER, NOT_HIGHER)],
        [
            (label == label_after) | (moved.abs() <= suite.tolerance),
            moved >= -suite.tolerance,
            moved <= suite.tolerance,
        ],
        np.array(CLASSES)[label] == table["expect"],
    )
    return table.assign(probability=before, changed_probability=after, passed=passed.astype(bool))


def behaviour_figures(
    judged: pd.DataFrame, unknown_words: npt.NDArray[Any], training_positives: float
) -> Figures:
    """Summarise the judged cases in figures that can be compared between runs.

    Args:
        judged: result of ``judge_cases``.
        unknown_words: P(positive) of texts that consist of unknown words, (texts,).
        training_positives: share of positive training texts, the best guess for a text of unknown
            words.

    Returns:
        cases (number) and passed (share), ``<capability>_cases`` and ``<capability>_passed``, and
        unknown_words_probability (the mean), training_positives and unknown_words_distance
        (between these two); rounded to 6 decimals.
    """
    figures: Figures = {"cases": len(judged), "passed": float(judged["passed"].mean())}
    for name, part in judged.groupby("capability", sort=False):
        figures |= {f"{name}_cases": len(part), f"{name}_passed": float(part["passed"].mean())}
    known = float(np.mean(unknown_words, dtype=np.float64))
    figures |= {
        "unknown_words_probability": known,
        "training_positives": training_positives,
        "unknown_words_distance": abs(known - training_positives),
    }
    return {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in figures.items()
    }


def failed_examples(judged: pd.DataFrame) -> pd.DataFrame:
    """Return at most ``EXAMPLES`` failed cases of each capability, from different tests first."""
    failed = judged.loc[~judged["passed"]]
    turn = failed.groupby(["capability", "says"], sort=False).cumcount()
    ordered = failed.assign(turn=turn).sort_values("turn", kind="stable")
    shown = ordered.groupby("capability", sort=False).head(EXAMPLES).sort_index()
    return shown.drop(columns="turn")
