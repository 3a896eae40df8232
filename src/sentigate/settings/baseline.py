"""The linear models of params.yaml, the strongest of which is the baseline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from sentigate.model.strict_model import StrictModel

from .dataset import Name

Tokens = Annotated[int, Field(ge=1, le=3)]
Characters = Annotated[int, Field(ge=1, le=10)]


class LinearModelParams(StrictModel):
    """One linear model: logistic regression on n-grams."""

    word_ngrams: Annotated[tuple[Tokens, Tokens], Field(strict=False)]
    """Tokens of the shortest and of the longest n-gram."""
    character_ngrams: Annotated[tuple[Characters, Characters], Field(strict=False)] | None = None
    """In characters, within tokens and their edges."""
    naive_bayes_smoothing: Annotated[float, Field(gt=0.0)] | None = None
    """Added to each n-gram's count in a class before the log-count ratio; without it, TF-IDF."""
    min_count: Annotated[int, Field(ge=1)]
    """N-grams in fewer training texts are left out; of characters, in fewer different tokens."""
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
