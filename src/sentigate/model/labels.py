"""The classes: their names in order, and the class of a probability."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from .strict_model import StrictModel

MOST_CLASSES = 64
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
CLASSES = ("negative", "positive")
"""Names of the labels 0 and 1."""
THRESHOLD = 0.5
"""A text with this P(positive) or a higher one is positive."""
SMALLEST_PROBABILITY = 2.0**-23
"""float32's epsilon: networks answer in float32, which rounds a sure answer to exactly 0 or 1."""


def predicted_labels(probabilities: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the label of each P(positive), in the same shape."""
    return (probabilities >= THRESHOLD).astype(np.int64)


def label_of(probability: float) -> str:
    """Return the class name of a P(positive)."""
    return CLASSES[int(probability >= THRESHOLD)]


def log_losses(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> npt.NDArray[np.floating[Any]]:
    """Return each answer's loss: -ln of the true class's probability, (rows,), in nats.

    Args:
        labels: 0 or 1, (rows,).
        probabilities: P(positive), (rows,); clipped to float32's epsilon.
    """
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses: npt.NDArray[np.floating[Any]] = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    return losses
