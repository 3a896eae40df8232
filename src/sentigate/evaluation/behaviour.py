"""The behaviour of a model on texts made to test it (CheckList, Ribeiro et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.answers import predicted_labels
from sentigate.model.labels import BINARY, Classes

from .behaviour_cases import NOT_HIGHER, NOT_LOWER, SAME, Case, Suite
from .metrics import Figures, rounded

Predict = Callable[[Sequence[str]], npt.NDArray[Any]]
POSITIVE = BINARY.names[1]
EXAMPLES = 3
"""Largest number of failures shown for each capability."""


def applies(classes: Classes) -> bool:
    """Return whether the tests fit these classes.

    Both negative and positive must be among them, and no other class may be a kind of one of these,
    such as very positive, because then "The film was wonderful." has two right labels.
    """
    others = [name.lower() for name in classes.names if name not in BINARY.names]
    return set(BINARY.names) <= set(classes.names) and not any(
        known in other for known in BINARY.names for other in others
    )


def judge_cases(
    suite: Suite, predict: Predict, classes: Classes, threshold: float | None = None
) -> pd.DataFrame:
    """Run a model on each case and decide whether the model passes.

    A model passes an MFT case if it predicts the expected label. It passes an INV case if the label
    stays the same, or the probability of no class changes by more than the tolerance. It passes a
    DIR case if the probability of positive moves in the wrong direction by at most the tolerance.

    Args:
        suite: the tests.
        predict: function from raw texts to the probability of each class, (texts, K).
        classes: names of the K classes; ``applies`` must be true for them.
        threshold: threshold of the model, for two classes; None for the most probable class.

    Returns:
        A row for each case, in the suite's order: the fields of ``Case`` (str), probability and
        changed_probability (of positive, float64; NaN for a case without a change), passed (bool).
    """
    table = pd.DataFrame(suite.cases, columns=list(Case._fields))
    texts = [text for text in pd.concat([table["text"], table["changed"]]).unique() if text]
    answers = predict(texts).astype(np.float64)
    labels = predicted_labels(answers, threshold)
    # The last row stands for the missing text of a case without a change.
    answers = np.vstack([answers, np.full(classes.count, np.nan)])
    labels = np.append(labels, -1)
    rows = {text: row for row, text in enumerate(texts)} | {"": len(texts)}
    before, after = (table[column].map(rows).to_numpy() for column in ("text", "changed"))
    positive = answers[:, classes.names.index(POSITIVE)]
    moved = positive[after] - positive[before]
    # Of two classes, the later one has the score; the other probability mirrors it.
    most_moved = np.abs(answers[after] - answers[before])[:, -classes.scores :].max(axis=1)
    passed = np.select(
        [table["expect"] == expect for expect in (SAME, NOT_LOWER, NOT_HIGHER)],
        [
            (labels[before] == labels[after]) | (most_moved <= suite.tolerance),
            moved >= -suite.tolerance,
            moved <= suite.tolerance,
        ],
        np.array(classes.names)[labels[before]] == table["expect"],
    )
    return table.assign(
        probability=positive[before],
        changed_probability=positive[after],
        passed=passed.astype(bool),
    )


def behaviour_figures(
    judged: pd.DataFrame,
    unknown_words: npt.NDArray[Any],
    training_shares: npt.NDArray[Any],
    classes: Classes,
) -> Figures:
    """Summarise the judged cases in figures that can be compared between runs.

    Args:
        judged: result of ``judge_cases``.
        unknown_words: probability of each class for texts that consist of unknown words, (texts,
            K).
        training_shares: share of the training texts in each class, (K,), the best guess for a text
            of unknown words.
        classes: names of the K classes.

    Returns:
        cases (number) and passed (share), ``<capability>_cases`` and ``<capability>_passed``;
        unknown_words_probability (the mean) and training_positives, both of the class positive;
        and unknown_words_distance, the largest distance between the mean probability of a class
        and its share; rounded to 6 decimals.
    """
    figures: Figures = {"cases": len(judged), "passed": float(judged["passed"].mean())}
    for name, part in judged.groupby("capability", sort=False):
        figures |= {f"{name}_cases": len(part), f"{name}_passed": float(part["passed"].mean())}
    known = np.asarray(unknown_words, dtype=np.float64).mean(axis=0)
    positive = classes.names.index(POSITIVE)
    distances = np.abs(known - training_shares)[-classes.scores :]
    figures |= {
        "unknown_words_probability": float(known[positive]),
        "training_positives": float(training_shares[positive]),
        "unknown_words_distance": float(distances.max()),
    }
    return rounded(figures)


def failed_examples(judged: pd.DataFrame) -> pd.DataFrame:
    """Return at most ``EXAMPLES`` failed cases of each capability, from different tests first."""
    failed = judged.loc[~judged["passed"]]
    turn = failed.groupby(["capability", "says"], sort=False).cumcount()
    ordered = failed.assign(turn=turn).sort_values("turn", kind="stable")
    shown = ordered.groupby("capability", sort=False).head(EXAMPLES).sort_index()
    return shown.drop(columns="turn")
