"""Intervals of a share, compared with the literature and with resampled rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.evaluation.intervals import bootstrap_interval, paired_interval, wilson_interval


def test_bootstrap_is_seeded():
    one = bootstrap_interval(300, 500, 200, seed=3)
    assert one == bootstrap_interval(300, 500, 200, seed=3)
    assert one != bootstrap_interval(300, 500, 200, seed=4)


def test_bootstrap_equals_resampling_rows():
    right = np.random.default_rng(0).random(500) < 0.8
    rows = np.random.default_rng(9).integers(0, len(right), (20_000, len(right)))
    expected = np.percentile(right[rows].mean(axis=1), [2.5, 97.5])
    low, high = bootstrap_interval(int(right.sum()), len(right), 20_000, seed=1)
    assert (low, high) == pytest.approx(expected, abs=0.003)
    assert low < right.mean() < high


def test_bootstrap_covers_the_true_share_in_95_per_cent():
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(300):
        low, high = bootstrap_interval(rng.binomial(400, 0.8), 400, 400, seed=seed)
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 300 <= 0.99


def test_zero_resamples_are_refused():
    with pytest.raises(ValueError, match="samples must be at least 1"):
        bootstrap_interval(1, 2, 0, seed=1)
    with pytest.raises(ValueError, match="samples must be at least 1"):
        paired_interval(1, 0, 2, 0, seed=1)


def test_paired_interval_equals_resampling_pairs():
    rng = np.random.default_rng(0)
    first = rng.random(500) < 0.8
    second = first ^ (rng.random(500) < 0.1)  # right on nearly the same rows
    drawn = np.random.default_rng(9).integers(0, 500, (20_000, 500))
    gaps = first[drawn].mean(axis=1) - second[drawn].mean(axis=1)
    ahead, behind = int((first & ~second).sum()), int((second & ~first).sum())
    got = paired_interval(ahead, behind, 500, 20_000, seed=1)
    assert got == pytest.approx(np.percentile(gaps, [2.5, 97.5]), abs=0.003)
    assert got == paired_interval(ahead, behind, 500, 20_000, seed=1)
    unpaired = bootstrap_interval(int(first.sum()), 500, 20_000, seed=1)
    assert got[1] - got[0] < unpaired[1] - unpaired[0]
    assert paired_interval(0, 0, 500, 100, seed=1) == (0, 0)


def test_wilson_interval_matches_the_literature():
    # Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    low, high = wilson_interval(np.array([81, 15, 0, 1]), np.array([263, 148, 20, 29]))
    np.testing.assert_allclose(low, [0.2553, 0.0624, 0, 0.0061], atol=5e-5)
    np.testing.assert_allclose(high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_covers_the_share(pair):
    correct, rows = (np.array([value]) for value in pair)
    low, high = wilson_interval(correct, rows)
    assert 0 <= low <= correct / rows + 1e-12
    assert correct / rows - 1e-12 <= high <= 1
