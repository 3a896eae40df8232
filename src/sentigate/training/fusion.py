"""Choosing, on validation texts, how network and linear model answer together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from sentigate.model.fusion import Fusion

SHARES = np.linspace(0.0, 1.0, 21)
LIMIT = np.log(4.0)
"""Of the temperature's logarithm, either way: a model without a mistake on a few rows would need
no temperature at all, and would be too sure of the next row."""

Logits = npt.NDArray[np.floating[Any]]


def fit_fusion(
    network: Logits, linear: Logits | None, labels: npt.NDArray[Any], positives: float
) -> Fusion:
    """The share of the linear model and the temperature of lowest log loss.

    All shares from 0 to 1 in steps of 0.05 are tried, each with its best temperature (Guo et al.
    2017, sec. 4.2).

    Args:
        network: logits of the positive label, (rows,), finite, of rows that neither model was
            fitted on.
        linear: the linear model's logits of the same rows; None without one.
        labels: 0 or 1, (rows,).
        positives: share of positive training texts, above 0 and below 1.
    """
    signs = np.where(labels == 1, 1.0, -1.0)
    mixed = (
        [(0.0, network.astype(np.float64))]
        if linear is None
        else [(float(s), (1 - s) * network.astype(np.float64) + s * linear) for s in SHARES]
    )
    tried = [(*_temperature(signs * logits), share) for share, logits in mixed]
    _, temperature, share = min(tried)
    return Fusion(
        share=round(share, 2),
        temperature=round(temperature, 6),
        prior=float(np.log(positives / (1 - positives))),
    )


def _temperature(signed: Logits) -> tuple[float, float]:
    """The lowest log loss, and the temperature that gives it."""

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -signed * np.exp(-log_temperature)).mean())

    found = minimize_scalar(loss, bounds=(-LIMIT, LIMIT), method="bounded")
    return float(found.fun), float(np.exp(found.x))
