"""Network and baseline on the same rows: McNemar's test, its interval and its sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.answers import class_answers

from sentigate.errors import DataError
from sentigate.evaluation.difference import (
    accuracy_difference,
    beside_baseline,
    difference_sentence,
    is_worse,
)


def right_and_wrong(
    both: int, network: int, baseline: int, neither: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels and the answers of both, right on the given numbers of rows."""
    counts = [both, network, baseline, neither]
    labels = np.arange(sum(counts)) % 2

    def answers_of(right: list[bool]) -> np.ndarray:
        return np.where(np.repeat(right, counts), labels, 1 - labels)

    return (
        labels,
        answers_of([True, True, False, False]),
        answers_of([True, False, True, False]),
    )


def test_mcnemar_matches_the_literature():
    # Agresti (2002), section 10.1.1: 86 and 150 of 236 discordant votes. p = 2 P(X <= 86).
    got = accuracy_difference(*right_and_wrong(794, 86, 150, 570), samples=2000, seed=1)
    assert (got["only_model_right"], got["only_baseline_right"]) == (86, 150)
    assert got["accuracy"] == -0.04
    assert got["p_value"] == pytest.approx(3.716e-5, rel=1e-3)
    # Its Wald interval of the difference: 0.040 +- 1.96 * 0.0095.
    assert (got["accuracy_low"], got["accuracy_high"]) == pytest.approx((-0.059, -0.021), abs=2e-3)


def test_few_rows_are_counted_exactly():
    # 1 of 8 discordant: 2 * (1 + 8) / 2**8.
    got = accuracy_difference(*right_and_wrong(10, 7, 1, 2), samples=100, seed=1)
    assert got["p_value"] == 0.0703125


def test_the_same_answers_do_not_differ():
    labels, probabilities = class_answers(4)
    predicted = probabilities.argmax(axis=1)
    got = accuracy_difference(labels, predicted, predicted, samples=100, seed=1)
    assert got == {
        "accuracy": 0,
        "accuracy_low": 0,
        "accuracy_high": 0,
        "only_model_right": 0,
        "only_baseline_right": 0,
        "p_value": 1.0,
    }


def test_a_tiny_p_is_not_rounded_to_zero():
    got = accuracy_difference(*right_and_wrong(0, 300, 100, 0), samples=100, seed=1)
    assert 0 < got["p_value"] < 1e-20
    assert json.loads(json.dumps(got, allow_nan=False)) == got


def test_wrong_answers_of_the_baseline_are_refused():
    with pytest.raises(DataError, match="none may be missing"):
        accuracy_difference(
            np.array([0, 1]), np.full(2, 1), np.array([1, np.nan]), samples=1, seed=1
        )


def test_two_wrong_answers_to_a_row_are_equally_wrong():
    labels, model, baseline = np.full(4, 2), np.array([2, 0, 1, 0]), np.array([2, 1, 0, 2])
    got = accuracy_difference(labels, model, baseline, samples=100, seed=1)
    assert (got["only_model_right"], got["only_baseline_right"]) == (0, 1)
    assert got["accuracy"] == -0.25


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        (
            (0.031, 0.017, 0.045, 2e-6),
            "The accuracy of the model is 3.1 points above the linear baseline's (95 % interval "
            "of the difference +1.7 to +4.5), McNemar's p < 0.0001: a real difference.",
        ),
        (
            (-0.0046, -0.0139, 0.0042, 0.3456),
            "The accuracy of the model is 0.5 points below the linear baseline's (95 % interval of "
            "the difference −1.4 to +0.4), McNemar's p = 0.35: not a difference that 3,870 texts "
            "can show.",
        ),
        (
            (0.0, -0.01, 0.01, 1.0),
            "The accuracy of the model is the same as the linear baseline's (95 % interval of the "
            "difference −1.0 to +1.0), McNemar's p = 1: not a difference that 3,870 texts can "
            "show.",
        ),
    ],
)
def test_the_sentence(figures: tuple[float, ...], sentence: str):
    keys = ("accuracy", "accuracy_low", "accuracy_high", "p_value")
    assert difference_sentence(dict(zip(keys, figures, strict=True)), 3870) == sentence


@pytest.mark.parametrize(("p", "real"), [(0.0499, True), (0.05, False)])
def test_a_difference_is_real_below_the_level(p: float, real: bool):
    figures = {"accuracy": 0.1, "accuracy_low": 0.0, "accuracy_high": 0.2, "p_value": p}
    assert difference_sentence(figures, 10).endswith("a real difference.") == real


def test_worse_is_less_often_right_by_more_than_chance():
    # P(X <= 12) of 36 fair coins is 0.0326: one-sided, because only one side is asked for.
    labels, model, baseline = right_and_wrong(20, 12, 24, 16)
    found = beside_baseline(labels, model, baseline, whose="The model", level=0.05)
    assert found.worse
    assert found.sentence == (
        "The model is worse than the linear baseline: accuracy 0.444 against 0.611 on 72 "
        "validation texts, one-sided McNemar's p = 0.033."
    )
    assert not beside_baseline(labels, model, baseline, whose="The model", level=0.03).worse
    other = beside_baseline(labels, baseline, model, whose="The network alone", level=0.05)
    assert not other.worse
    assert other.sentence.startswith("The network alone is not found to be worse than")


def test_few_or_no_texts_show_no_difference():
    assert not beside_baseline(*right_and_wrong(0, 0, 4, 0), whose="The model", level=0.05).worse
    nothing = (np.array([], dtype=np.int64),) * 3
    found = beside_baseline(*nothing, whose="The model", level=0.05)
    assert not found.worse
    assert "no validation texts" in found.sentence


@pytest.mark.parametrize(
    ("accuracy", "p", "worse"),
    [(-0.145, 1e-4, True), (-0.145, 0.05, False), (0.145, 1e-4, False), (0.0, 1.0, False)],
)
def test_a_model_is_worse_if_the_difference_is_negative_and_real(
    accuracy: float, p: float, worse: bool
):
    assert is_worse({"accuracy": accuracy, "p_value": p}) == worse
