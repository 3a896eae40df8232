"""Batch size and patience for small tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.settings.model import TrainingParams
from sentigate.training.steps import Steps, steps_of, steps_sentence


def params(**values: object) -> TrainingParams:
    plain = {
        "batch_size": 64,
        "max_epochs": 8,
        "learning_rate": 0.003,
        "monitor": "validation_loss",
        "min_epoch_steps": 45,
    }
    return TrainingParams.model_validate(plain | values)


@pytest.mark.parametrize(
    ("rows", "steps"),
    [
        (13_931, Steps(64, 218, None)),  # vader
        (2_817, Steps(64, 45, None)),
        (2_816, Steps(32, 88, None)),
        (720, Steps(16, 45, None)),
        (704, Steps(8, 88, None)),
        (100, Steps(8, 13, None)),
        (1, Steps(8, 1, None)),
    ],
)
def test_batches_are_halved_until_an_epoch_has_enough_steps(rows: int, steps: Steps) -> None:
    assert steps_of(rows, params()) == steps


@given(st.integers(1, 10_000), st.integers(1, 200), st.integers(1, 20))
def test_by_default_batches_keep_their_size(rows: int, size: int, patience: int) -> None:
    assert TrainingParams.model_fields["min_epoch_steps"].default == 0
    found = steps_of(rows, params(batch_size=size, patience=patience, min_epoch_steps=0))
    assert found == Steps(size, -(-rows // size), patience)


@pytest.mark.parametrize(
    ("rows", "patience"), [(13_931, 3), (720, 3), (360, 3), (180, 6), (90, 12), (8, 135)]
)
def test_patience_grows_if_an_epoch_has_few_steps(rows: int, patience: int) -> None:
    assert steps_of(rows, params(patience=3)).patience == patience


def test_a_batch_has_a_text_per_device_and_small_batches_stay() -> None:
    assert steps_of(100, params(), devices=32).batch_size == 32
    assert steps_of(100, params(batch_size=12)).batch_size == 12
    assert steps_of(100, params(batch_size=4)).batch_size == 4


def test_the_sentence_gives_the_reason() -> None:
    assert steps_sentence(steps_of(13_931, params()), params()) == (
        "218 steps an epoch, 64 texts each"
    )
    assert steps_sentence(steps_of(720, params()), params()) == (
        "45 steps an epoch, 16 texts each: batch_size 64 would give fewer steps than "
        "min_epoch_steps 45"
    )
