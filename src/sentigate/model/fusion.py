"""Fusion of the logits of two models: the network's and the linear model's."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from .answers import Logits
from .strict_model import StrictModel


class Fusion(StrictModel):
    """The numbers that join the logits of two models. All are estimated from labelled texts."""

    share: Annotated[float, Field(ge=0.0, le=1.0)]
    """The linear model's share of each logit; 0 without a linear model."""
    temperature: Annotated[float, Field(gt=0.0)]
    """Divisor of the logits, which calibrates the probabilities (Guo et al. 2017)."""
    prior: Annotated[tuple[float, ...], Field(strict=False)]
    """Logits of a text without a known token: those of the classes' shares of training texts."""

    @property
    def network_weight(self) -> float:
        """Factor of the network's logits."""
        return (1.0 - self.share) / self.temperature

    @property
    def linear_weight(self) -> float:
        """Factor of the linear model's logits."""
        return self.share / self.temperature

    def __call__(
        self, network: Logits, linear: Logits | None, known: npt.NDArray[np.bool_]
    ) -> Logits:
        """Return the logits of the answers, (rows, S) float32.

        Args:
            network: logits of the network, (rows, S).
            linear: logits of the linear model, (rows, S); may be None if ``share`` is 0.
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
        return np.where(known[:, None], logits, np.array(self.prior)).astype(np.float32)
