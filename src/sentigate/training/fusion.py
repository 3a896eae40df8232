"""Fit the fusion of the network and the linear model to validation texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from sentigate.errors import counted
from sentigate.model.fusion import Fusion

SHARES = np.linspace(0.0, 1.0, 21)
LIMIT = np.log(4.0)
"""Limit of the absolute logarithm of the temperature. Without it, a model that makes no mistake on
a few rows gets a temperature near 0, and is too sure of the next row."""
FEW_TEXTS = 200
"""With fewer validation texts, the best share may be chance."""

FloatArray = npt.NDArray[np.floating[Any]]
Losses = Callable[[float], FloatArray]
"""Maps a factor of the logits to the log loss of each row, (rows,)."""


def fit_fusion(
    network: FloatArray, linear: FloatArray | None, labels: npt.NDArray[Any], shares: FloatArray
) -> Fusion:
    """Return the linear model's share and the temperature with the lowest log loss.

    All shares from 0 to 1 in steps of 0.05 are tried, each with its best temperature (Guo et al.
    2017, sec. 4.2).

    Args:
        network: the network's finite logits, (rows, S). The rows must be in the training data of
            neither model.
        linear: the linear model's logits of the same rows; None without a linear model.
        labels: classes of the rows, (rows,).
        shares: shares of the classes among the training texts, (K,), each above 0.
    """
    mixed = (
        [(0.0, network.astype(np.float64))]
        if linear is None
        else [(float(s), (1 - s) * network.astype(np.float64) + s * linear) for s in SHARES]
    )
    tried = [(*_temperature(logits, labels), share) for share, logits in mixed]
    _, temperature, share = min(tried)
    return Fusion(
        share=round(share, 2),
        temperature=round(temperature, 6),
        prior=prior_of(shares),
    )


def prior_of(shares: FloatArray) -> tuple[float, ...]:
    """Return the logits whose probabilities are ``shares``, (K,): K of them, or 1 if K is 2."""
    if len(shares) == 2:
        return (float(np.log(shares[1] / (1 - shares[1]))),)
    return tuple(np.log(shares).tolist())


def share_sentences(fusion: Fusion, texts: int) -> Iterator[str]:
    """Yield a sentence about the linear model's share, and warnings if it is 1 or may be chance.

    Args:
        fusion: fusion with a linear model.
        texts: number of validation texts on which the share was chosen.
    """
    yield f"the linear model has {fusion.share:.0%} of each answer"
    if fusion.share == 1.0:
        yield (
            "WARNING: the network has no part in the answers; the linear model alone was better "
            "on the validation texts"
        )
    if texts < FEW_TEXTS:
        yield (
            f"WARNING: that share was chosen on {counted(texts, 'validation text')}, and may be "
            f"chance; {FEW_TEXTS} or more are better: raise split.validation_size, or add rows"
        )


def _temperature(logits: FloatArray, labels: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the lowest log loss, and its temperature."""
    losses = _losses_of_two if logits.shape[1] == 1 else _losses_of_several
    of_factor = losses(logits, labels.astype(np.int64))

    def loss(log_temperature: float) -> float:
        return float(of_factor(np.exp(-log_temperature)).mean())

    found = minimize_scalar(loss, bounds=(-LIMIT, LIMIT), method="bounded")
    return float(found.fun), float(np.exp(found.x))


def _losses_of_two(logits: FloatArray, labels: npt.NDArray[np.int64]) -> Losses:
    against = np.where(labels == 1, -1.0, 1.0) * logits[:, 0]
    return lambda factor: np.logaddexp(0.0, against * factor)


def _losses_of_several(logits: FloatArray, labels: npt.NDArray[np.int64]) -> Losses:
    """Subtract the largest logit once for all factors; logsumexp would do so each time."""
    by_class = np.ascontiguousarray(logits.T)  # (K, rows), because sums of short rows are slow
    largest = by_class.max(axis=0)
    below, above = by_class - largest, largest - by_class[labels, np.arange(len(labels))]
    return lambda factor: above * factor + np.log(np.exp(below * factor).sum(axis=0))
