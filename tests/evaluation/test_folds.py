"""Folds: clusters stay together, and each fold has its share of each class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.evaluation.folds import stratified_folds


def test_each_fold_has_the_same_share_of_each_class() -> None:
    rng = np.random.default_rng(0)
    clusters = rng.integers(0, 300, 2000)
    labels = (rng.random(2000) < 0.1).astype(np.int8) + 2 * (rng.random(2000) < 0.3)
    folds = stratified_folds(labels, clusters, 5, 1)
    for label in range(4):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= max(8, 0.1 * counts.mean()), (label, counts)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=40),
    st.integers(2, 5),
    st.integers(0, 3),
)
def test_a_cluster_is_in_one_fold(rows: list[tuple[int, int]], count: int, seed: int) -> None:
    clusters, labels = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    folds = stratified_folds(labels, clusters, count, seed)
    assert folds.shape == clusters.shape
    assert set(folds.tolist()) <= set(range(count))
    for cluster in set(clusters.tolist()):
        assert len(set(folds[clusters == cluster].tolist())) == 1
    np.testing.assert_array_equal(folds, stratified_folds(labels, clusters, count, seed))


def test_the_seed_changes_the_order_of_equal_clusters() -> None:
    labels, clusters = np.arange(60) % 2, np.arange(60)
    one, other = (stratified_folds(labels, clusters, 3, seed) for seed in (1, 2))
    assert (one != other).any()


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_fewer_clusters_than_folds_leave_folds_empty(groups: int) -> None:
    """scikit-learn's StratifiedGroupKFold raises an error instead."""
    clusters = np.arange(12) % groups
    assert len(set(stratified_folds(clusters * 0, clusters, 5, 0).tolist())) == groups
