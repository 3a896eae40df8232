"""One answer from two logits: the network's and the linear model's."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from .strict_model import StrictModel

Logits = npt.NDArray[np.float32]


class Fusion(StrictModel):
    """How a model's logit is made of its parts; all three numbers come from labelled texts."""

    share: Annotated[float, Field(ge=0.0, le=1.0)]
    """The linear model's share of the logit; 0 without one."""
    temperature: Annotated[float, Field(gt=0.0)]
    """What the logit is divided by, so that probabilities are as right as they are sure (Guo et
    al. 2017)."""
    prior: float
    """The logit of a text without a known token: that of the share of positive training texts."""

    @property
    def network_weight(self) -> float:
        """What the network's logit is multiplied by."""
        return (1.0 - self.share) / self.temperature

    @property
    def linear_weight(self) -> float:
        """What the linear model's logit is multiplied by."""
        return self.share / self.temperature

    def __call__(
        self, network: Logits, linear: Logits | None, known: npt.NDArray[np.bool_]
    ) -> Logits:
        """Logits of the answers, (rows,) float32.

        Args:
            network: the network's logits, (rows,).
            linear: the linear model's, (rows,); None without one, which a share of 0 allows.
            known: whether a text has a token that the network knows, (rows,).

        Raises:
            ValueError: there is a share, and no linear model.
        """
        logits = self.network_weight * network.astype(np.float64)
        if linear is not None:
            logits += self.linear_weight * linear
        elif self.share:
            raise ValueError(
                f"{self.share:.0%} of the answer is a linear model's, which is missing"
            )
        return np.where(known, logits, self.prior).astype(np.float32)


def probabilities(logits: Logits) -> Logits:
    """P(positive) of logits, (rows,) float32; no logit is too large."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits.astype(np.float64))), dtype=np.float32)
