"""What an accuracy is worth on test texts that are mostly of one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .formats import share

SKEWED = 0.8
"""The test texts are skewed if the share of their most common class is above this."""


def is_skewed(figures: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether most test texts are of one class, by the content of reports/metrics.json."""
    return bool(figures["majority"]["accuracy"] > SKEWED)


def skew_sentence(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """Compare the accuracy with that of the same answer to every text; "" if this is not needed.

    Args:
        figures: content of reports/metrics.json.
    """
    if not is_skewed(figures) or "classes" not in figures:
        return ""
    rows = {name: part["rows"] for name, part in figures["classes"].items()}
    common = max(rows, key=lambda name: rows[name])
    occurring = sum(count > 0 for count in rows.values())
    always, test = figures["majority"]["accuracy"], figures["test"]
    recall, f1 = (share(value) for value in (1 / occurring, 2 * always / (1 + always) / occurring))
    return (
        f"{share(always)} of the test texts are {common}, so the answer {common} to every text "
        f"already has an accuracy of {share(always)}, and the model has {share(test['accuracy'])}. "
        "Two figures count each class alike: the balanced accuracy is "
        f"{share(test['balanced_accuracy'])} (the same answer to every text: {recall}), and the "
        f"macro F1 is {share(test['macro_f1'])} ({f1})."
    )
