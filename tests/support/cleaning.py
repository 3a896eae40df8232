"""Cleaning steps by name."""

from __future__ import annotations

from sentigate.model.text.cleaning_steps import CleaningSteps


def cleaning(*steps: str) -> CleaningSteps:
    """Return settings with only the named cleaning steps."""
    return CleaningSteps(**dict.fromkeys(steps, True))


ALL_BUT_LOSSY = cleaning(
    "normalize_unicode",
    "remove_html",
    "remove_links",
    "remove_mentions",
    "lowercase",
    "squeeze_whitespace",
)
"""The cleaning of most data sets: all steps except those that drop words and punctuation."""
