"""Fitting of share and temperature."""

from __future__ import annotations

import numpy as np
import pytest

from sentigate.model.fusion import Fusion
from sentigate.training.fusion import FEW_TEXTS, fit_fusion, share_sentences

RNG = np.random.default_rng(0)


def labels_of(logits: np.ndarray) -> np.ndarray:
    """Draw labels, 0 or 1, with the probabilities of the logits."""
    return (RNG.random(len(logits)) < 1 / (1 + np.exp(-logits))).astype(np.int8)


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_factor_of_the_logits(true: float) -> None:
    logits = RNG.normal(0, 2, 200_000)
    found = fit_fusion(logits * true, None, labels_of(logits), 0.5)
    assert found.temperature == pytest.approx(true, rel=0.02)
    assert found.share == 0.0


def test_the_temperature_of_a_model_that_never_errs_has_a_limit() -> None:
    logits = np.array([-3.0, 4.0], dtype=np.float32)
    found = fit_fusion(logits, None, np.array([0, 1], dtype=np.int8), 0.5)
    assert found.temperature == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("true", [0.0, 0.3, 1.0])
def test_the_share_recovers_the_share_behind_the_labels(true: float) -> None:
    network, linear = RNG.normal(0, 2, (2, 100_000))
    mixed = (1 - true) * network + true * linear
    found = fit_fusion(2 * network, 2 * linear, labels_of(mixed), 0.5)
    assert found.share == pytest.approx(true, abs=0.051)
    assert found.temperature == pytest.approx(2.0, rel=0.1)


def test_the_prior_is_the_share_of_positive_training_texts() -> None:
    found = fit_fusion(np.array([1.0, -1.0]), None, np.array([1, 0]), 0.2)
    assert 1 / (1 + np.exp(-found.prior)) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("share", "texts", "sentences"),
    [
        (0.3, 1_900, ["the linear model has 30% of each answer"]),
        (0.0, FEW_TEXTS, ["the linear model has 0% of each answer"]),
        (
            1.0,
            1_900,
            [
                "the linear model has 100% of each answer",
                "WARNING: the network has no part in the answers; the linear model alone was "
                "better on the validation texts",
            ],
        ),
        (
            0.3,
            40,
            [
                "the linear model has 30% of each answer",
                "WARNING: that share was chosen on 40 validation texts, and may be chance; 200 or "
                "more are better: raise split.validation_size, or add rows",
            ],
        ),
    ],
)
def test_a_share_of_1_or_by_chance_gives_a_warning(
    share: float, texts: int, sentences: list[str]
) -> None:
    assert (
        list(share_sentences(Fusion(share=share, temperature=1.0, prior=0.0), texts)) == sentences
    )


def test_both_warnings_may_appear() -> None:
    assert len(list(share_sentences(Fusion(share=1.0, temperature=1.0, prior=0.0), 1))) == 3
