"""Weights averaged over the steps of training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage:
    """An exponential moving average of a network's weights (Polyak and Juditsky 1992; EMA).

    At step n the decay is at most (1 + n) / (10 + n), so that the average soon forgets the random
    initial weights. Early in training the average covers about a ninth of the steps so far, so
    that any decay suits a small table.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = [weight for weight in network.parameters() if weight.requires_grad]
        self.averages: list[Tensor] = []
        self.swapped = False

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights of a step to the average."""
        if not self.averages:  # the network is on its device from now on
            self.averages = [weight.detach().clone() for weight in self.weights]
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        blend = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        blend(self.averages, self.weights, self.steps)

    def swap_in(self) -> None:
        """Give the network the averages."""
        if not self.swapped:
            self._swap()

    def swap_out(self) -> None:
        """Give the network its own weights back."""
        if self.swapped:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, average in zip(self.weights, self.averages, strict=True):
            own = weight.clone()
            weight.copy_(average)
            average.copy_(own)
        self.swapped = not self.swapped
