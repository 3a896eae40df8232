"""The linear models of params.yaml, the strongest of which is the baseline."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from sentigate.model.strict_model import StrictModel

from .dataset import Name

Length = Annotated[int, Field(ge=1, le=10)]
NgramRange = Annotated[tuple[Length, Length], Field(strict=False)]
"""The shortest and the longest run that is counted."""


class LinearModelParams(StrictModel):
    """One linear model: TF-IDF of n-grams, then logistic regression."""

    tokens: Literal["words", "words_and_signs"]
    """words: of two letters or more; words_and_signs: every word, and every sign by itself."""
    word_ngrams: NgramRange
    """In tokens."""
    character_ngrams: NgramRange | None
    """In characters, within words and their edges; null for none."""
    naive_bayes_smoothing: Annotated[float, Field(gt=0.0)] | None
    """Added to each n-gram's weight in a class before the log-count ratio; null for no ratio."""
    min_count: Annotated[int, Field(ge=1)]
    """N-grams in fewer training texts are left out."""
    inverse_regularization: Annotated[float, Field(gt=0.0)]

    @field_validator("word_ngrams", "character_ngrams")
    @classmethod
    def _shortest_first(cls, ngrams: tuple[int, int] | None) -> tuple[int, int] | None:
        if ngrams and ngrams[0] > ngrams[1]:
            raise ValueError(f"{list(ngrams)} is the wrong way round; allowed: the smaller first")
        return ngrams


class BaselineParams(StrictModel):
    """What stands beside every network."""

    candidates: Annotated[dict[Name, LinearModelParams], Field(min_length=1)]
    """The strongest on validation is the baseline; of equals, the first."""
