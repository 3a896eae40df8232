"""From logits to probabilities, and from probabilities to answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.model.answers import (
    SMALLEST_PROBABILITY,
    confidences,
    log_losses,
    named_columns,
    predicted_labels,
    probabilities,
    table_columns,
)

LOGITS = st.floats(-200, 200, width=32)


def later_of_two(logits: list[float]) -> np.ndarray:
    """Return the later class's probability by the formula of models with two classes alone."""
    exact = np.array(logits, np.float32).astype(np.float64)
    return np.exp(-np.logaddexp(0.0, -exact)).astype(np.float32)


def two(later: np.ndarray) -> np.ndarray:
    return np.stack([1 - later, later], axis=1)


def column(logits: list[float]) -> np.ndarray:
    return np.array(logits, np.float32)[:, None]


@given(st.lists(LOGITS, max_size=20))
def test_one_logit_gives_the_sigmoid_to_the_bit(logits: list[float]) -> None:
    found = probabilities(column(logits))
    assert found.dtype == np.float32
    assert found.shape == (len(logits), 2)
    assert (found[:, 1] == later_of_two(logits)).all()
    assert (found[:, 0] == 1 - later_of_two(logits)).all()


def test_probabilities_of_large_logits_do_not_overflow() -> None:
    """Warnings are errors here: a logit of -1000 must not overflow."""
    found = probabilities(column([0, 2, -2, -90, 1000, -1000]))
    assert found.dtype == np.float32
    expected = np.array([0.5, 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2)), 0, 1, 0])
    assert found == pytest.approx(two(expected), abs=1e-7)
    found = probabilities(np.array([[1000, 0, -1000], [-1000, -1000, -1000]], np.float32))
    assert found == pytest.approx(np.array([[1, 0, 0], [1 / 3] * 3]), abs=1e-7)


@pytest.mark.parametrize("count", [3, 7])
@given(data=st.data())
def test_several_logits_give_their_softmax(count: int, data: st.DataObject) -> None:
    rows = st.lists(LOGITS, min_size=count, max_size=count)
    logits = np.array(data.draw(st.lists(rows, min_size=1, max_size=9)), np.float32)
    before = logits.copy()
    found = probabilities(logits)
    assert (logits == before).all()
    assert found.dtype == np.float32
    for row, chances in zip(logits.astype(np.float64), found, strict=True):
        expected = [1 / np.exp(np.minimum(row - logit, 700)).sum() for logit in row]
        assert chances == pytest.approx(expected, abs=1e-6)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(found)), abs=1e-6)


@given(st.lists(LOGITS | st.floats(-(2.0**-20), 2.0**-20, width=32), min_size=1, max_size=20))
def test_of_two_classes_the_later_is_answered_from_one_half_on(logits: list[float]) -> None:
    found = predicted_labels(probabilities(column(logits)))
    assert found.dtype == np.int64
    assert (found == (later_of_two(logits) >= 0.5)).all()


def test_just_below_one_half_is_the_earlier_class() -> None:
    half = np.float32(0.5)
    near = np.array([np.nextafter(half, np.float32(0)), half, np.nextafter(half, np.float32(1))])
    assert predicted_labels(two(near)).tolist() == [0, 1, 1]


def test_the_most_probable_class_is_answered_and_the_later_of_equal_ones() -> None:
    chances = np.array(
        [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [1 / 3] * 3]
    )
    found = predicted_labels(chances)
    assert found.dtype == np.int64
    assert found.tolist() == [0, 2, 1, 2, 2]
    assert confidences(chances, found).tolist() == [0.5, 0.5, 0.4, 0.4, 1 / 3]
    assert predicted_labels(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("threshold", "labels"), [(0.2, [1, 1, 1]), (0.8, [0, 1, 1]), (0.95, [0, 0, 0])]
)
def test_a_threshold_decides_between_two_classes(threshold: float, labels: list[int]) -> None:
    chances = two(np.array([0.2, 0.8, 0.9]))
    found = predicted_labels(chances, threshold)
    assert found.tolist() == labels
    assert confidences(chances, found).tolist() == chances[range(3), labels].tolist()


def test_a_threshold_among_more_classes_is_refused() -> None:
    with pytest.raises(ValueError, match="between two classes, not 3"):
        predicted_labels(np.full((1, 3), 1 / 3), 0.5)


EXTREME = st.sampled_from([0.0, 1.0, 2.0**-24, 1 - 2.0**-24, 2.0**-23])


@given(st.lists(st.tuples(st.integers(0, 1), EXTREME | st.floats(0, 1, width=32)), min_size=1))
def test_log_losses_of_two_classes_are_those_of_the_later_classs_probability(
    pairs: list[tuple[int, float]],
) -> None:
    labels = np.array([label for label, _ in pairs], np.int8)
    later = np.array([chance for _, chance in pairs], np.float32)
    clipped = np.clip(later, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    expected = -np.log(np.where(labels == 1, clipped, 1 - clipped))
    found = log_losses(labels, two(later))
    assert found.dtype == expected.dtype
    assert (found == expected).all()


def test_log_losses_are_those_of_the_true_class_and_finite() -> None:
    chances = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]], np.float32)
    found = log_losses(np.array([2, 0, 1]), chances)
    assert found == pytest.approx([np.log(4), 23 * np.log(2), 0], abs=1e-6)


@pytest.mark.parametrize("count", [2, 3, 12])
def test_columns_of_a_table_give_the_probabilities_back(count: int) -> None:
    """Column 10 comes after column 9, not after column 1."""
    chances = probabilities(np.random.default_rng(0).normal(0, 2, (5, count)).astype(np.float32))
    others = named_columns("baseline_probability", chances[:, ::-1])
    table = pd.DataFrame({"id": list("abcde")} | named_columns("probability", chances) | others)
    assert table.columns[1] == "probability_0"
    assert (table_columns(table) == chances).all()
    assert table_columns(table).dtype == np.float32
    assert (table_columns(table, "baseline_probability") == chances[:, ::-1]).all()
