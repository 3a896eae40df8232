"""One number that makes probabilities as sure as they are right."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

LIMIT = np.log(4.0)
"""Of the temperature's logarithm, either way: of a few rows without a mistake no temperature is
low enough, and a model so sure would be wrong about the next."""


def fit_temperature(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> float:
    """The number to divide logits by, under which labels are likeliest (Guo et al. 2017, sec. 4.2).

    It changes no answer, for it moves no logit over zero.

    Args:
        logits: of the positive label, (rows,), finite, of rows that the model was not fitted on.
        labels: 0 or 1, (rows,).
    """
    signed = np.where(labels == 1, logits, -logits).astype(np.float64)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -signed * np.exp(-log_temperature)).mean())

    found = minimize_scalar(loss, bounds=(-LIMIT, LIMIT), method="bounded")
    return float(np.exp(found.x))
