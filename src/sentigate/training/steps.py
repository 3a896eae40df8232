"""How many steps an epoch has: a small table is cut into smaller batches, to have enough."""

from __future__ import annotations

import math
from typing import NamedTuple

from sentigate.settings.model import TrainingParams

SMALLEST = 8
"""Texts in a batch that is not halved any more."""


class Steps(NamedTuple):
    """What training takes its steps by.

    Attributes:
        batch_size: texts in a step.
        per_epoch: steps in an epoch.
        patience: epochs without a better one, after which training stops; None for all.
    """

    batch_size: int
    per_epoch: int
    patience: int | None


def steps_of(rows: int, params: TrainingParams, devices: int = 1) -> Steps:
    """Halve the batches until an epoch has ``params.min_epoch_steps`` steps.

    No batch gets smaller than 8 texts, or one for each device. Where the steps are too few even
    so, patience lasts as many steps as that many epochs of enough steps would have.

    Args:
        rows: training texts, at least 1.
        params: the batch size and patience asked for.
        devices: processes that share a batch.
    """
    size, least = params.batch_size, max(SMALLEST, devices)
    while math.ceil(rows / size) < params.min_epoch_steps and size // 2 >= least:
        size //= 2
    steps = math.ceil(rows / size)
    patience = params.patience
    if patience is not None:
        patience = math.ceil(patience * max(1.0, params.min_epoch_steps / steps))
    return Steps(size, steps, patience)


def steps_sentence(steps: Steps, params: TrainingParams) -> str:
    """What ``steps_of`` chose, for people."""
    sentence = f"{steps.per_epoch:,} steps an epoch, {steps.batch_size} texts each"
    if steps.batch_size < params.batch_size:
        sentence += (
            f": batch_size {params.batch_size} would give fewer steps than min_epoch_steps "
            f"{params.min_epoch_steps}"
        )
    return sentence
