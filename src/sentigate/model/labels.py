"""The classes: their names in order, and the class of a probability."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

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
