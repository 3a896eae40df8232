"""Objectives of training: the loss of a batch, and the number of its right answers."""

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
        correct: () int64, number of right answers.
        predictions: () int64, number of all answers.
    """

    loss: Tensor
    correct: Tensor
    predictions: Tensor


Objective = Callable[[Any, Batch], BatchSums]
"""Maps a network and a batch to the sums over the batch; training minimises the loss."""


def classify(
    network: Network, batch: Batch, class_weights: tuple[float, ...] | None = None
) -> BatchSums:
    """Return the cross-entropy of a batch, and the number of its right answers.

    Args:
        network: the network.
        batch: the batch.
        class_weights: weight of each class in the loss, (K,); None: 1 for each.
    """
    logits, labels = network(batch.inputs), batch.labels
    weights = None if class_weights is None else logits.new_tensor(class_weights)
    if logits.shape[1] == 1:  # two classes
        logits = logits.squeeze(1)
        loss = functional.binary_cross_entropy_with_logits(
            logits, labels.float(), None if weights is None else weights[labels], reduction="sum"
        )
        predicted = (logits >= 0).long()
    else:
        loss = functional.cross_entropy(logits, labels, weights, reduction="sum")
        predicted = logits.argmax(dim=1)
    correct = (predicted == labels).sum()
    return BatchSums(loss, correct, batch.rows.new_tensor(len(labels)))
