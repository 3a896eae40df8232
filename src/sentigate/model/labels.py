"""The classes: their names in order, and which of them an answer is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

CLASSES = ("negative", "positive")
"""By label: 0 and 1."""
THRESHOLD = 0.5
"""From this probability on a text is called positive."""
SMALLEST_PROBABILITY = 2.0**-23
"""float32's epsilon: networks answer in float32, where a sure answer is exactly 0 or 1."""


def predicted_labels(probabilities: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The label that each P(positive) stands for, of the same shape."""
    return (probabilities >= THRESHOLD).astype(np.int64)


def label_of(probability: float) -> str:
    """The name of the class that P(positive) stands for."""
    return CLASSES[int(probability >= THRESHOLD)]


def log_losses(
    labels: npt.NDArray[Any], probabilities: npt.NDArray[Any]
) -> npt.NDArray[np.floating[Any]]:
    """What each answer costs, -ln of the probability of the true class, (rows,), in nats.

    Args:
        labels: 0 or 1, (rows,).
        probabilities: P(positive), (rows,); clipped to float32's epsilon.
    """
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses: npt.NDArray[np.floating[Any]] = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    return losses
