"""Fitting of share and temperature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from sentigate.model.answers import probabilities
from sentigate.model.fusion import Fusion
from sentigate.training.fusion import FEW_TEXTS, LIMIT, SHARES, fit_fusion, share_sentences

RNG = np.random.default_rng(0)


HALVES = np.array([0.5, 0.5])


def labels_of(logits: np.ndarray) -> np.ndarray:
    """Draw labels with the probabilities of the logits, (rows, S)."""
    if logits.shape[1] == 1:
        return (RNG.random(len(logits)) < 1 / (1 + np.exp(-logits[:, 0]))).astype(np.int8)
    return (logits + RNG.gumbel(size=logits.shape)).argmax(axis=1).astype(np.int8)


several = pytest.mark.parametrize(
    ("scores", "shares"), [(1, HALVES), (3, np.full(3, 1 / 3)), (7, np.full(7, 1 / 7))]
)


@several
@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_factor_of_the_logits(
    true: float, scores: int, shares: np.ndarray
) -> None:
    logits = RNG.normal(0, 2, (200_000 // scores, scores))
    found = fit_fusion(logits * true, None, labels_of(logits), shares)
    assert found.temperature == pytest.approx(true, rel=0.02)
    assert found.share == 0.0


def test_the_temperature_of_a_model_that_never_errs_has_a_limit() -> None:
    labels = np.array([0, 1], dtype=np.int8)
    for logits in ([[-3.0], [4.0]], [[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]]):
        shares = HALVES if len(logits[0]) == 1 else np.full(3, 1 / 3)
        found = fit_fusion(np.array(logits, dtype=np.float32), None, labels, shares)
        assert found.temperature == pytest.approx(0.25, rel=1e-3)


@several
@pytest.mark.parametrize("true", [0.0, 0.3, 1.0])
def test_the_share_recovers_the_share_behind_the_labels(
    true: float, scores: int, shares: np.ndarray
) -> None:
    network, linear = RNG.normal(0, 2, (2, 100_000 // scores, scores))
    mixed = (1 - true) * network + true * linear
    found = fit_fusion(2 * network, 2 * linear, labels_of(mixed), shares)
    assert found.share == pytest.approx(true, abs=0.051)
    assert found.temperature == pytest.approx(2.0, rel=0.1)


def test_of_two_classes_the_numbers_are_those_of_the_signed_logits() -> None:
    """Models of two classes keep every bit of their answers."""
    network, linear = RNG.normal(0, 2, (2, 3_000, 1)).astype(np.float32)
    labels = labels_of(network + linear)
    found = fit_fusion(network, linear, labels, np.array([0.3, 0.7]))
    signs = np.where(labels == 1, 1.0, -1.0)
    tried = []
    for share in SHARES.tolist():
        signed = signs * ((1 - share) * network.astype(np.float64) + share * linear)[:, 0]

        def loss(log_temperature: float, signed: np.ndarray = signed) -> float:
            return float(np.logaddexp(0.0, -signed * np.exp(-log_temperature)).mean())

        best = minimize_scalar(loss, bounds=(-LIMIT, LIMIT), method="bounded")
        tried.append((float(best.fun), float(np.exp(best.x)), share))
    _, temperature, share = min(tried)
    assert (found.share, found.temperature) == (round(share, 2), round(temperature, 6))
    assert found.prior == (float(np.log(0.7 / (1 - 0.7))),)


def test_a_class_that_is_never_probable_changes_nothing() -> None:
    """With three classes, two logits count as their difference does with two."""
    network, linear = RNG.normal(0, 2, (2, 2_000, 1))
    labels = labels_of(network + linear)

    def three(logits: np.ndarray) -> np.ndarray:
        return np.column_stack([np.ones(len(logits)), 1 + logits, np.full(len(logits), -500.0)])

    two = fit_fusion(network, linear, labels, HALVES)
    found = fit_fusion(three(network), three(linear), labels, np.full(3, 1 / 3))
    assert found.share == two.share
    assert found.temperature == pytest.approx(two.temperature, abs=1e-4)


@pytest.mark.parametrize("shares", [[0.8, 0.2], [0.5, 0.2, 0.3], [0.1, 0.1, 0.2, 0.2, 0.1, 0.3]])
def test_the_prior_gives_the_shares_of_the_training_texts(shares: list[float]) -> None:
    scores = 1 if len(shares) == 2 else len(shares)
    logits = np.ones((2, scores)) * [[1.0], [-1.0]]
    found = fit_fusion(logits, None, np.array([1, 0]), np.array(shares))
    assert len(found.prior) == scores
    assert probabilities(np.array([found.prior])) == pytest.approx(np.array([shares]))


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
        list(share_sentences(Fusion(share=share, temperature=1.0, prior=(0.0,)), texts))
        == sentences
    )


def test_both_warnings_may_appear() -> None:
    assert len(list(share_sentences(Fusion(share=1.0, temperature=1.0, prior=(0.0,)), 1))) == 3
