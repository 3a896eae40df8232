"""The linear models of params.yaml; the strongest becomes the baseline."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from sentigate.model.strict_model import StrictModel

from .plain_names import Name

Tokens = Annotated[int, Field(ge=1, le=3)]
Characters = Annotated[int, Field(ge=1, le=10)]


class LinearModelParams(StrictModel):
    """One linear model: logistic regression on n-grams."""

    word_ngrams: Annotated[tuple[Tokens, Tokens], Field(strict=False)]
    """Length of the shortest and of the longest n-gram, in tokens."""
    character_ngrams: Annotated[tuple[Characters, Characters], Field(strict=False)] | None = None
    """The same in characters, for n-grams inside a token and its edges."""
    naive_bayes_smoothing: Annotated[float, Field(gt=0.0)] | None = None
    """Added to each n-gram's count per class before the log-count ratio. None: TF-IDF instead."""
    min_count: Annotated[int, Field(ge=1)]
    """Least number of training texts with the n-gram (character n-grams: of different tokens)."""
    inverse_regularization: Annotated[float, Field(gt=0.0)]

    @field_validator("word_ngrams", "character_ngrams")
    @classmethod
    def _shortest_first(cls, ngrams: tuple[int, int] | None) -> tuple[int, int] | None:
        if ngrams and ngrams[0] > ngrams[1]:
            raise ValueError(f"{list(ngrams)} is in the wrong order; allowed: the smaller first")
        return ngrams


class BaselineParams(StrictModel):
    """The linear baseline, which every network is compared with."""

    candidates: Annotated[dict[Name, LinearModelParams], Field(min_length=1)]
    """The candidate with the best validation result is the baseline; in a tie, the first."""
