"""The words that turn a sentiment round."""

from __future__ import annotations

from sentigate.model.text.one_form import one_form

NEGATIONS = frozenset(
    "n't not no never cannot nothing nobody none nowhere neither nor without hardly barely".split()  # noqa: SIM905
)


def is_negation(token: str) -> bool:
    """Whether a token of any case negates: one of NEGATIONS, or a word that ends in n't."""
    word = one_form(token).lower()
    return word in NEGATIONS or word.endswith("n't")
