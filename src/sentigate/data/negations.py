"""Negations: words that reverse a sentiment."""

from __future__ import annotations

from sentigate.model.text.one_form import one_form

NEGATIONS = frozenset(
    "n't not no never cannot nothing nobody none nowhere neither nor without hardly barely".split()  # noqa: SIM905
)


def is_negation(token: str) -> bool:
    """Return whether a token, in any case, is one of NEGATIONS or ends in n't."""
    word = one_form(token).lower()
    return word in NEGATIONS or word.endswith("n't")
