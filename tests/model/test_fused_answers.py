"""Fusion of two logits into one."""

from __future__ import annotations

import numpy as np
import pytest

from sentigate.model.fusion import Fusion, probabilities

NETWORK = np.array([1.0, -2.0, 5.0], dtype=np.float32)
LINEAR = np.array([3.0, 1.0, 5.0], dtype=np.float32)
KNOWN = np.array([True, True, False])


def test_shares_are_divided_by_the_temperature_and_unknown_texts_get_the_prior() -> None:
    fusion = Fusion(share=0.25, temperature=2.0, prior=-0.5)
    assert fusion(NETWORK, LINEAR, KNOWN).tolist() == [0.75, -0.625, -0.5]


def test_without_a_linear_model_the_network_answers() -> None:
    fusion = Fusion(share=0.0, temperature=2.0, prior=0.0)
    assert fusion(NETWORK, None, KNOWN).tolist() == [0.5, -1.0, 0.0]


def test_a_missing_linear_model_is_an_error() -> None:
    with pytest.raises(ValueError, match="its share of the answer is 25%"):
        Fusion(share=0.25, temperature=2.0, prior=0.0)(NETWORK, None, KNOWN)


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    """Warnings are errors here: a logit of -1000 must not overflow."""
    found = probabilities(np.array([0, 2, -2, -90, 1000, -1000], np.float32))
    assert found.dtype == np.float32
    expected = [0.5, 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 0, 1, 0]
    assert found == pytest.approx(expected, abs=1e-7)
