"""Judging a model by the behavioural tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sentigate.evaluation.behaviour import behaviour_figures, failed_examples, judge_cases
from sentigate.evaluation.behaviour_cases import (
    CASES,
    NOT_HIGHER,
    NOT_LOWER,
    SAME,
    Case,
    Suite,
    read_suite,
)

SUITE = read_suite(CASES)


def answering(probabilities: dict[str, float]) -> Callable[[Sequence[str]], np.ndarray]:
    return lambda texts: np.array([probabilities[text] for text in texts], dtype=np.float32)


def oracle() -> dict[str, float]:
    """Return a right answer to each text of the suite; no change of a text moves the answer."""
    known = {"positive": 0.9, "negative": 0.1}
    found = {case.text: known[case.expect] for case in SUITE.cases if case.kind == "MFT"}
    for case in SUITE.cases:
        if case.kind != "MFT":
            value = found.get(case.text, found.get(case.changed, 0.7))
            for text in (case.text, case.changed):
                assert found.setdefault(text, value) == value
    return found


def test_an_oracle_passes_all_cases() -> None:
    judged = judge_cases(SUITE, answering(oracle()))
    assert judged["passed"].all()
    assert judged["text"].tolist() == [case.text for case in SUITE.cases]
    assert (judged["changed_probability"].isna() == (judged["kind"] == "MFT")).all()


@pytest.mark.parametrize("always", [0.99, 0.01])
def test_a_constant_answer_fails_half_of_the_mft_cases(always: float) -> None:
    judged = judge_cases(SUITE, lambda texts: np.full(len(texts), always))
    asked = judged["kind"] == "MFT"
    assert 0.45 < judged.loc[asked, "passed"].mean() < 0.55
    assert judged.loc[~asked, "passed"].all()


def test_the_reverse_of_an_oracle_fails_every_mft_case() -> None:
    wrong = {text: 1 - probability for text, probability in oracle().items()}
    judged = judge_cases(SUITE, answering(wrong))
    assert (judged["passed"] == (judged["kind"] != "MFT")).all()


@pytest.mark.parametrize(
    ("kind", "expect", "before", "after", "passed"),
    [
        ("MFT", "positive", 0.5, None, True),
        ("MFT", "positive", 0.49, None, False),
        ("MFT", "negative", 0.49, None, True),
        ("MFT", "negative", 0.5, None, False),
        ("INV", SAME, 0.9, 0.51, True),  # the label stays
        ("INV", SAME, 0.55, 0.46, True),  # the label changes, the probability little
        ("INV", SAME, 0.55, 0.44, False),
        ("INV", SAME, 0.4, 0.52, False),
        ("DIR", NOT_LOWER, 0.6, 0.9, True),
        ("DIR", NOT_LOWER, 0.6, 0.51, True),
        ("DIR", NOT_LOWER, 0.9, 0.79, False),
        ("DIR", NOT_HIGHER, 0.6, 0.1, True),
        ("DIR", NOT_HIGHER, 0.6, 0.69, True),
        ("DIR", NOT_HIGHER, 0.1, 0.21, False),
    ],
)
def test_a_case_passes_by_the_rule_of_its_kind(
    kind: str, expect: str, before: float, after: float | None, passed: bool
) -> None:
    changed = "" if after is None else "after"
    suite = Suite([Case("words", kind, "x", expect, "before", changed)], 0.1, [])
    asked: list[str] = []

    def predict(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array([{"before": before, "after": after}[text] for text in texts])

    judged = judge_cases(suite, predict)
    assert judged["passed"].tolist() == [passed]
    assert judged["probability"].tolist() == [before]
    assert asked == ["before", *([changed] if changed else [])]  # each once, and no empty text


def test_figures() -> None:
    cases = [Case("words", "MFT", "x", "positive", f"text {n}", "") for n in range(3)]
    cases.append(Case("names", "INV", "y", SAME, "text 0", "text 9"))
    answers = {"text 0": 0.9, "text 1": 0.2, "text 2": 0.7, "text 9": 0.8}
    judged = judge_cases(Suite(cases, 0.1, []), answering(answers))
    assert behaviour_figures(judged, np.array([0.5, 0.7]), 0.45) == {
        "cases": 4,
        "passed": 0.75,
        "words_cases": 3,
        "words_passed": 0.666667,
        "names_cases": 1,
        "names_passed": 1.0,
        "unknown_words_probability": 0.6,
        "training_positives": 0.45,
        "unknown_words_distance": 0.15,
    }


def test_examples_come_from_different_tests_first() -> None:
    says = ["first"] * 5 + ["second"] * 5
    cases = [Case("words", "MFT", x, "positive", f"text {n}", "") for n, x in enumerate(says)]
    cases += [Case("names", "MFT", "third", "negative", "text 0", "")]
    probabilities = {f"text {n}": 0.1 for n in range(10)} | {"text 1": 0.9}
    judged = judge_cases(Suite(cases, 0.1, []), answering(probabilities))
    shown = failed_examples(judged)
    assert shown["text"].tolist() == ["text 0", "text 2", "text 5"]
    assert shown.columns.tolist() == judged.columns.tolist()
    assert failed_examples(judged.head(0)).empty
