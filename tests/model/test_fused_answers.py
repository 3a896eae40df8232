"""Fusion of two logits into one."""

from __future__ import annotations

import numpy as np
import pytest

from sentigate.model.fusion import Fusion

NETWORK = np.array([[1.0], [-2.0], [5.0]], dtype=np.float32)
LINEAR = np.array([[3.0], [1.0], [5.0]], dtype=np.float32)
KNOWN = np.array([True, True, False])


def test_shares_are_divided_by_the_temperature_and_unknown_texts_get_the_prior() -> None:
    fusion = Fusion(share=0.25, temperature=2.0, prior=(-0.5,))
    assert fusion(NETWORK, LINEAR, KNOWN).tolist() == [[0.75], [-0.625], [-0.5]]


def test_without_a_linear_model_the_network_answers() -> None:
    fusion = Fusion(share=0.0, temperature=2.0, prior=(0.0,))
    assert fusion(NETWORK, None, KNOWN).tolist() == [[0.5], [-1.0], [0.0]]


def test_a_missing_linear_model_is_an_error() -> None:
    with pytest.raises(ValueError, match="its share of the answer is 25%"):
        Fusion(share=0.25, temperature=2.0, prior=(0.0,))(NETWORK, None, KNOWN)


@pytest.mark.parametrize("scores", [3, 7])
def test_each_of_several_logits_is_fused_alone(scores: int) -> None:
    rng = np.random.default_rng(0)
    network, linear = rng.normal(0, 3, (2, 9, scores)).astype(np.float32)
    prior = rng.normal(0, 1, scores)
    known = np.arange(9) != 4
    found = Fusion(share=0.3, temperature=1.7, prior=tuple(prior.tolist()))(network, linear, known)
    assert found.shape == (9, scores)
    assert found.dtype == np.float32
    for score in range(scores):
        part = slice(score, score + 1)
        alone = Fusion(share=0.3, temperature=1.7, prior=(float(prior[score]),))
        assert (found[:, part] == alone(network[:, part], linear[:, part], known)).all()
