"""Fusion of two logits into one answer: the network's and the linear model's."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from .strict_model import StrictModel

Logits = npt.NDArray[np.float32]


class Fusion(StrictModel):
    """The numbers that make one logit of two. All three are estimated from labelled texts."""

    share: Annotated[float, Field(ge=0.0, le=1.0)]
    """The linear model's share of the logit; 0 without a linear model."""
    temperature: Annotated[float, Field(gt=0.0)]
    """Divisor of the logit, which calibrates the probabilities (Guo et al. 2017)."""
    prior: float
    """Logit of a text without a known token: the logit of the share of positive training texts."""

    @property
    def network_weight(self) -> float:
        """Factor of the network's logit."""
        return (1.0 - self.share) / self.temperature

    @property
    def linear_weight(self) -> float:
        """Factor of the linear model's logit."""
        return self.share / self.temperature

    def __call__(
        self, network: Logits, linear: Logits | None, known: npt.NDArray[np.bool_]
    ) -> Logits:
        """Return the logits of the answers, (rows,) float32.

        Args:
            network: logits of the network, (rows,).
            linear: logits of the linear model, (rows,); may be None if ``share`` is 0.
            known: (rows,) bool, true if the network knows a token of the text.

        Raises:
            ValueError: ``linear`` is None, and ``share`` is not 0.
        """
        logits = self.network_weight * network.astype(np.float64)
        if linear is not None:
            logits += self.linear_weight * linear
        elif self.share:
            raise ValueError(
                f"the linear model is missing, and its share of the answer is {self.share:.0%}"
            )
        return np.where(known, logits, self.prior).astype(np.float32)


def probabilities(logits: Logits) -> Logits:
    """Return P(positive) of logits, (rows,) float32. A large logit does not overflow."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits.astype(np.float64))), dtype=np.float32)
