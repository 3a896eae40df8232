"""Where a network still fails: accuracy by length, negation and unknown tokens of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.labels import predicted_labels
from sentigate.model.text.one_form import one_form

from .answers import check_answers
from .intervals import wilson_interval

CONTRACTED = "ai|are|ca|could|did|do|does|had|has|have|is|might|must|need|sha|should|was|were|wo"
NEGATION = (
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|cannot|without|"
    rf"(?:{CONTRACTED})n[' ]?t)\b"
)
"""English negation words; cleaning may have made "don t" or "dont" of "don't"."""
PERCENT = (5, 20)
"""Ends of the groups of texts with some unknown tokens, included; the last group has more."""
UNKNOWN_ENDS = (0.0, *(end / 100 for end in PERCENT))


class Grouping(NamedTuple):
    """One way to part the rows.

    Attributes:
        name: what the rows are parted by.
        codes: the number of each row's group, (rows,).
        groups: the groups' names, by number.
    """

    name: str
    codes: npt.NDArray[np.intp]
    groups: list[str]


def failure_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """How often network and baseline are right in groups of like texts.

    Every row is in one group of each kind: quartiles of its length, with negation or without, and
    how many of its tokens are unknown. Groups without a row are left out. All rows of a kind are
    counted at once.

    Args:
        frame: text (str, as cleaned), length (tokens, at least 1), unknown_share (of them, in
            [0, 1]), label (0 or 1), probability and baseline_probability (of class 1).

    Returns:
        by (length, negation or unknown tokens), group (its name), rows and errors (int64; errors
        of the network), and as float64 accuracy and baseline_accuracy, each with the ends _low and
        _high of its 95 % interval (Wilson 1927), which holds for small groups too.

    Raises:
        DataError: no rows, or labels or probabilities are out of range.
    """
    right = []
    for column in ("probability", "baseline_probability"):
        labels, probabilities = check_answers(frame["label"].to_numpy(), frame[column].to_numpy())
        right.append(predicted_labels(probabilities) == labels)
    tables = [_figures(grouping, *right) for grouping in _groupings(frame)]
    return pd.concat(tables, ignore_index=True)


def _groupings(frame: pd.DataFrame) -> Iterator[Grouping]:
    lengths = frame["length"].to_numpy()
    # Of lengths that occur, and each once: with few texts, or like ones, there are fewer groups.
    ends = np.unique(np.quantile(lengths, [0.25, 0.5, 0.75, 1.0], method="inverted_cdf"))
    starts = [lengths.min(), *(ends[:-1] + 1)]
    yield Grouping(
        "length",
        np.searchsorted(ends, lengths),
        [_tokens(int(low), int(high)) for low, high in zip(starts, ends, strict=True)],
    )
    negated = frame["text"].map(one_form).str.contains(NEGATION, case=False, regex=True)
    yield Grouping("negation", negated.to_numpy().astype(np.intp), ["without", "with"])
    yield Grouping(
        "unknown tokens",
        np.searchsorted(UNKNOWN_ENDS, frame["unknown_share"].to_numpy()),
        ["none", *(f"up to {end:g} %" for end in PERCENT), f"more than {PERCENT[-1]:g} %"],
    )


def _tokens(low: int, high: int) -> str:
    if low == high:
        return f"{low} token{'' if low == 1 else 's'}"
    return f"{low} to {high} tokens"


def _figures(
    grouping: Grouping,
    network_right: npt.NDArray[np.bool_],
    baseline_right: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """A row for each group that is not empty."""
    size = len(grouping.groups)
    rows = np.bincount(grouping.codes, minlength=size)
    correct = np.bincount(grouping.codes[network_right], minlength=size)
    baseline_correct = np.bincount(grouping.codes[baseline_right], minlength=size)
    there = rows > 0
    low, high = wilson_interval(correct[there], rows[there])
    baseline_low, baseline_high = wilson_interval(baseline_correct[there], rows[there])
    return pd.DataFrame(
        {
            "by": grouping.name,
            "group": np.array(grouping.groups)[there],
            "rows": rows[there],
            "errors": (rows - correct)[there],
            "accuracy": correct[there] / rows[there],
            "accuracy_low": low,
            "accuracy_high": high,
            "baseline_accuracy": baseline_correct[there] / rows[there],
            "baseline_accuracy_low": baseline_low,
            "baseline_accuracy_high": baseline_high,
        }
    )
