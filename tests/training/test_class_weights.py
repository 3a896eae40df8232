"""Weights of the classes in the loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.models import architecture
from torch.nn import functional

from sentigate.model.network.batches import Batch
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.training.class_weights import BETA, class_weights
from sentigate.training.objective import classify

COUNTS = np.array([960, 30, 10])


def test_inverse_frequency_gives_all_classes_the_same_weight_in_sum() -> None:
    weights = class_weights(COUNTS, "inverse_frequency")
    assert np.allclose(weights * COUNTS, 1000 / 3)


def test_effective_number_raises_a_rare_class_less() -> None:
    weights = np.array(class_weights(COUNTS, "effective_number"))
    assert (weights * COUNTS).sum() == pytest.approx(1000)
    sizes = [(1 - BETA**n) / (1 - BETA) for n in COUNTS.tolist()]
    assert weights[2] / weights[0] == pytest.approx(sizes[0] / sizes[2])
    assert weights[2] / weights[0] < COUNTS[0] / COUNTS[2]


@pytest.mark.parametrize("scores", [1, 3])
def test_the_loss_is_the_weighted_sum_of_the_texts_losses(scores: int) -> None:
    torch.manual_seed(0)
    network = Network(
        architecture(embedding_size=4, cell="lstm", hidden_sizes=(3,), pooling="max"), 9, scores
    )
    ids, lengths = torch.randint(2, 9, (6, 5)), torch.full((6,), 5)
    labels = torch.arange(6) % (2 if scores == 1 else 3)
    weights = (0.5, 2.0) if scores == 1 else (0.5, 2.0, 7.0)
    sums = classify(network, Batch(Inputs(ids, lengths), labels, torch.arange(6)), weights)
    logits = network(Inputs(ids, lengths))
    if scores == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    each = functional.cross_entropy(logits, labels, reduction="none")
    assert sums.loss.item() == pytest.approx((each * torch.tensor(weights)[labels]).sum().item())
    assert sums.correct.item() == (logits.argmax(1) == labels).sum().item()
