"""How a model behaves on texts made to test it (CheckList, Ribeiro et al. 2020)."""

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
"""Failures shown for each capability."""


def judge_cases(suite: Suite, predict: Predict) -> pd.DataFrame:
    """Whether a model passes each case.

    An MFT case is passed where the label is the one expected; an INV case where the label stays,
    or the probability moves by no more than the tolerance; a DIR case where the probability moves
    the wrong way by no more than that.

    Args:
        suite: the tests.
        predict: from raw texts to P(positive), (texts,).

    Returns:
        A row for each case, in their order: the fields of ``Case`` (str), probability and
        changed_probability (float64; NaN where nothing was changed), passed (bool).
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
    """The figures of ``judge_cases`` that are followed from run to run.

    Args:
        judged: as ``judge_cases`` gives it.
        unknown_words: P(positive) of texts of unknown words alone, (texts,).
        training_positives: the share of positive training texts, which is what can be said of a
            text of which nothing is known.

    Returns:
        cases and passed (share of them), ``<capability>_cases`` and ``<capability>_passed``, and
        unknown_words_probability (the mean), training_positives and unknown_words_distance (of
        the two); rounded to 6 decimals.
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
    """At most ``EXAMPLES`` failed cases of each capability: of as many tests as there are."""
    failed = judged.loc[~judged["passed"]]
    turn = failed.groupby(["capability", "says"], sort=False).cumcount()
    ordered = failed.assign(turn=turn).sort_values("turn", kind="stable")
    shown = ordered.groupby("capability", sort=False).head(EXAMPLES).sort_index()
    return shown.drop(columns="turn")
