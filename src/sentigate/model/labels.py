"""The classes that a model can answer: their names and their order."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .strict_model import StrictModel

MAX_CLASSES = 64
ThresholdMetric = Literal["f1", "macro_f1", "balanced_accuracy", "mcc"]
"""Metric for which a threshold between two classes is chosen; f1 is that of the later class."""


def _readable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse names that cannot be told apart, or that break a line or a table."""
    for name in names:
        if name != name.strip() or not name:
            raise ValueError(f"{name!r} is blank or has blanks at an end; allowed: a name")
        if any(unicodedata.category(sign).startswith("C") for sign in name):
            raise ValueError(f"{name!r} has a control character; allowed: letters and signs")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"{repeated[0]!r} is there twice; allowed: different names")
    return names


class Classes(StrictModel):
    """The classes of a data set. A label is an index into their names."""

    names: Annotated[
        tuple[str, ...],
        Field(min_length=2, max_length=MAX_CLASSES, strict=False),
        AfterValidator(_readable),
    ]
    ordered: bool = False
    """Whether the names go from the least to the most, as stars do."""

    @property
    def count(self) -> int:
        """The number of classes, K."""
        return len(self.names)

    @property
    def scores(self) -> int:
        """The number of logits of a model: K, or 1 with two classes."""
        return 1 if self.count == 2 else self.count


BINARY = Classes(names=("negative", "positive"))
"""The classes of models that older versions made."""
