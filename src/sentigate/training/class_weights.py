"""Weights of the classes in the loss, so that a rare class counts for more."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sentigate.settings.model import ClassWeighting

BETA = 0.999
"""Each further text of a class adds this share of what the text before it added."""


def class_weights(
    counts: npt.NDArray[np.integer[Any]], weighting: ClassWeighting
) -> tuple[float, ...]:
    """Return a weight for each class, (K,), whose mean over the training texts is 1.

    ``inverse_frequency`` gives all classes the same weight in sum. ``effective_number`` divides by
    (1 - BETA^n) / (1 - BETA) instead of n (Cui et al. 2019, eq. 2), which raises a rare class less.

    Args:
        counts: number n of training texts of each class, (K,), each above 0.
        weighting: the rule.
    """
    sizes = counts.astype(np.float64)
    if weighting == "effective_number":
        sizes = (1 - BETA**sizes) / (1 - BETA)
    weights = 1 / sizes
    normed: list[float] = (weights * counts.sum() / (weights * counts).sum()).tolist()
    return tuple(normed)
