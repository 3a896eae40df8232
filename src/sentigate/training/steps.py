"""The steps of an epoch. A small table gets smaller batches, so that an epoch has enough steps."""

from __future__ import annotations

import math
from typing import NamedTuple

from sentigate.settings.model import TrainingParams

SMALLEST = 8
"""Smallest batch size that halving may reach."""


class Steps(NamedTuple):
    """The steps of a training.

    Attributes:
        batch_size: number of texts in a step.
        per_epoch: number of steps in an epoch.
        patience: number of epochs without improvement after which training stops; None for no stop.
    """

    batch_size: int
    per_epoch: int
    patience: int | None


def steps_of(rows: int, params: TrainingParams, devices: int = 1) -> Steps:
    """Halve the batches until an epoch has ``params.min_epoch_steps`` steps.

    No batch gets smaller than 8 texts, or than a text per device. If an epoch still has too few
    steps, patience grows until it covers ``params.patience`` times ``params.min_epoch_steps``
    steps.

    Args:
        rows: number of training texts, at least 1.
        params: settings with the batch size and the patience.
        devices: number of processes that share a batch.
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
    """Describe the choice of ``steps_of`` in a sentence."""
    sentence = f"{steps.per_epoch:,} steps an epoch, {steps.batch_size} texts each"
    if steps.batch_size < params.batch_size:
        sentence += (
            f": batch_size {params.batch_size} would give fewer steps than min_epoch_steps "
            f"{params.min_epoch_steps}"
        )
    return sentence
