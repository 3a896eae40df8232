"""Failures of a network: accuracy by length, negation and unknown tokens of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.text.one_form import one_form

from .answers import check_labels
from .intervals import wilson_interval

CONTRACTED = "ai|are|ca|could|did|do|does|had|has|have|is|might|must|need|sha|should|was|were|wo"
NEGATION = (
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|cannot|without|"
    rf"(?:{CONTRACTED})n[' ]?t)\b"
)
"""English negation words; cleaning may have turned "don't" into "don t" or "dont"."""
PERCENT = (5, 20)
"""Upper ends (inclusive) of the groups of texts with unknown tokens; the last group has more."""
UNKNOWN_ENDS = (0.0, *(end / 100 for end in PERCENT))


class Grouping(NamedTuple):
    """A way to divide the rows into groups.

    Attributes:
        name: name of the property by which rows are grouped.
        codes: index of each row's group, (rows,).
        groups: names of the groups.
    """

    name: str
    codes: npt.NDArray[np.intp]
    groups: list[str]


def failure_groups(frame: pd.DataFrame) -> pd.DataFrame:
    """Measure the accuracy of network and baseline in groups of similar texts.

    Rows are grouped in three ways: by quartile of the length, by negation, and by the share of
    unknown tokens. Empty groups are left out.

    Args:
        frame: text (str, cleaned), length (tokens, at least 1), unknown_share (of these tokens, in
            [0, 1]), label, predicted and baseline_predicted (classes, 0 to K-1).

    Returns:
        by (length, negation or unknown tokens), group (its name), rows and errors (int64; errors
        of the network), and as float64 accuracy and baseline_accuracy, each with the ends _low and
        _high of its 95 % interval (Wilson 1927), which holds for small groups too.

    Raises:
        DataError: there are no rows, or a label is missing or negative.
    """
    right = []
    for column in ("predicted", "baseline_predicted"):
        labels, predicted = check_labels(frame["label"].to_numpy(), frame[column].to_numpy())
        right.append(predicted == labels)
    tables = [_figures(grouping, *right) for grouping in _groupings(frame)]
    return pd.concat(tables, ignore_index=True)


def _groupings(frame: pd.DataFrame) -> Iterator[Grouping]:
    lengths = frame["length"].to_numpy()
    # Ends are lengths that occur, each once: few or similar texts give fewer groups.
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
    """Return a row for each group that is not empty."""
    size = len(grouping.groups)
    rows = np.bincount(grouping.codes, minlength=size)
    correct = np.bincount(grouping.codes[network_right], minlength=size)
    baseline_correct = np.bincount(grouping.codes[baseline_right], minlength=size)
    filled = rows > 0
    low, high = wilson_interval(correct[filled], rows[filled])
    baseline_low, baseline_high = wilson_interval(baseline_correct[filled], rows[filled])
    return pd.DataFrame(
        {
            "by": grouping.name,
            "group": np.array(grouping.groups)[filled],
            "rows": rows[filled],
            "errors": (rows - correct)[filled],
            "accuracy": correct[filled] / rows[filled],
            "accuracy_low": low,
            "accuracy_high": high,
            "baseline_accuracy": baseline_correct[filled] / rows[filled],
            "baseline_accuracy_low": baseline_low,
            "baseline_accuracy_high": baseline_high,
        }
    )
