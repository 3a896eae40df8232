"""The temperature."""

from __future__ import annotations

import numpy as np
import pytest

from sentigate.training.temperature import fit_temperature


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_it_finds_the_factor_by_which_logits_are_too_large(true: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 200_000)
    labels = (rng.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(np.int8)
    assert fit_temperature(logits * true, labels) == pytest.approx(true, rel=0.02)


def test_of_a_model_that_never_errs_it_is_not_without_end() -> None:
    logits = np.array([-3.0, 4.0], dtype=np.float32)
    found = fit_temperature(logits, np.array([0, 1], dtype=np.int8))
    assert found == pytest.approx(0.25, rel=1e-3)
