"""The classes that a model can answer: their names and their order."""

from __future__ import annotations

import unicodedata
from typing import Literal

from pydantic import Field, field_validator

from .strict_model import StrictModel

MOST_CLASSES = 64
ThresholdMetric = Literal["f1", "macro_f1", "balanced_accuracy", "mcc"]
"""Metric for which a threshold between two classes is chosen; f1 is that of the later class."""
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, halves of a pair, and line breaks."""


class Classes(StrictModel):
    """The classes that a model tells apart; a label is the index of a name."""

    names: tuple[str, ...] = Field(min_length=2, max_length=MOST_CLASSES, strict=False)
    ordered: bool = False
    """Whether the names are in the order of a scale, so that neighbours are alike."""

    @field_validator("names")
    @classmethod
    def _can_be_told_apart(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name or name != name.strip() or _CONTROL & set(map(unicodedata.category, name)):
                raise ValueError(
                    f"{name!r} is no name of a class; allowed: text without control characters, "
                    "and without a blank at either end"
                )
            if names.count(name) > 1:
                raise ValueError(f"{name!r} occurs twice; allowed: each name once")
        return names

    @property
    def count(self) -> int:
        """Number of classes, K."""
        return len(self.names)

    @property
    def scores(self) -> int:
        """Number of scores of a model, S: one for two classes, or else one for each class."""
        return 1 if self.count == 2 else self.count


BINARY = Classes(names=("negative", "positive"))
"""The classes of every model that an older version registered."""
