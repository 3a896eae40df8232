"""What a network is fitted to: the loss of a batch, and how many of its answers are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn import functional

from sentigate.model.network.batches import Batch
from sentigate.model.network.network import Network


class BatchSums(NamedTuple):
    """Sums over a batch.

    Attributes:
        loss: () float32, in nats.
        correct: () int64, right answers.
        predictions: () int64, all answers.
    """

    loss: Tensor
    correct: Tensor
    predictions: Tensor


Objective = Callable[[Any, Batch], BatchSums]
"""From a network and a batch to the sums over the batch; training minimises the loss."""


def classify(network: Network, batch: Batch) -> BatchSums:
    """Binary cross-entropy on the logits of a batch."""
    logits = network(batch.inputs)
    loss = functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="sum")
    correct = ((logits >= 0) == batch.labels.bool()).sum()
    return BatchSums(loss, correct, batch.rows.new_tensor(len(batch.labels)))
