"""Judging a model by the behavioural tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
from support.answers import MOODS, two

from sentigate.evaluation import behaviour
from sentigate.evaluation.behaviour import applies, behaviour_figures, failed_examples
from sentigate.evaluation.behaviour_cases import (
    CASES,
    NOT_HIGHER,
    NOT_LOWER,
    SAME,
    Case,
    Suite,
    read_suite,
)
from sentigate.model.labels import BINARY, Classes

SUITE = read_suite(CASES)


def judge_cases(suite: Suite, predict: Callable[[Sequence[str]], np.ndarray]) -> pd.DataFrame:
    return behaviour.judge_cases(suite, predict, BINARY)


def answering(probabilities: dict[str, float]) -> Callable[[Sequence[str]], np.ndarray]:
    return lambda texts: two(np.array([probabilities[text] for text in texts], dtype=np.float32))


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
    judged = judge_cases(SUITE, lambda texts: two(np.full(len(texts), always)))
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
        return two([{"before": before, "after": after}[text] for text in texts])

    judged = judge_cases(suite, predict)
    assert judged["passed"].tolist() == [passed]
    assert judged["probability"].tolist() == [before]
    assert asked == ["before", *([changed] if changed else [])]  # each once, and no empty text


def test_figures() -> None:
    cases = [Case("words", "MFT", "x", "positive", f"text {n}", "") for n in range(3)]
    cases.append(Case("names", "INV", "y", SAME, "text 0", "text 9"))
    answers = {"text 0": 0.9, "text 1": 0.2, "text 2": 0.7, "text 9": 0.8}
    judged = judge_cases(Suite(cases, 0.1, []), answering(answers))
    assert behaviour_figures(judged, two(np.array([0.5, 0.7])), np.array([0.55, 0.45]), BINARY) == {
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


@pytest.mark.parametrize(
    ("names", "fit"),
    [
        (("negative", "positive"), True),
        (("positive", "negative"), True),
        (("negative", "neutral", "positive"), True),
        (("Irrelevant", "negative", "positive"), True),
        (("negative", "positive", "very positive"), False),
        (("Very Negative", "negative", "positive"), False),
        (("ham", "spam"), False),
        (("Negative", "Positive"), False),
    ],
)
def test_the_tests_need_negative_and_positive_and_no_kind_of_them(
    names: tuple[str, ...], fit: bool
) -> None:
    assert applies(Classes(names=names)) == fit


def judged_moods(before: list[float], after: list[float], kind: str, expect: str) -> bool:
    changed = "after" if after else ""
    suite = Suite([Case("words", kind, "x", expect, "before", changed)], 0.1, [])
    table = behaviour.judge_cases(
        suite, lambda texts: np.array([before, after][: len(texts)]), MOODS
    )
    assert table["probability"].tolist() == [before[2]]
    return bool(table["passed"].item())


def test_a_neutral_answer_is_neither_positive_nor_negative() -> None:
    neutral = [0.3, 0.4, 0.3]
    assert not judged_moods(neutral, [], "MFT", "positive")
    assert not judged_moods(neutral, [], "MFT", "negative")
    assert judged_moods([0.3, 0.3, 0.4], [], "MFT", "positive")


def test_a_change_between_two_other_classes_is_a_change() -> None:
    assert not judged_moods([0.6, 0.3, 0.1], [0.3, 0.6, 0.1], "INV", SAME)
    assert judged_moods([0.45, 0.4, 0.15], [0.4, 0.45, 0.15], "INV", SAME)
    assert judged_moods([0.6, 0.3, 0.1], [0.3, 0.6, 0.1], "DIR", NOT_LOWER)
    assert not judged_moods([0.1, 0.3, 0.6], [0.2, 0.4, 0.4], "DIR", NOT_LOWER)


def test_the_order_of_the_classes_does_not_matter() -> None:
    reverse = Classes(names=("positive", "negative"))
    right = answering(oracle())
    judged = behaviour.judge_cases(SUITE, lambda texts: right(texts)[:, ::-1], reverse)
    assert judged["passed"].all()


def test_the_models_threshold_decides_the_label() -> None:
    suite = Suite([Case("words", "MFT", "x", "positive", "a text", "")], 0.1, [])
    answer = answering({"a text": 0.3})
    assert not behaviour.judge_cases(suite, answer, BINARY)["passed"].any()
    assert behaviour.judge_cases(suite, answer, BINARY, threshold=0.25)["passed"].all()


def test_the_distance_of_several_classes_is_the_largest() -> None:
    judged = judge_cases(Suite([Case("words", "MFT", "x", "positive", "a", "")], 0.1, []),
                         answering({"a": 0.9}))  # fmt: skip
    unknown = np.array([[0.2, 0.6, 0.2], [0.4, 0.4, 0.2]])
    figures = behaviour_figures(judged, unknown, np.array([0.5, 0.25, 0.25]), MOODS)
    assert figures["unknown_words_probability"] == 0.2
    assert figures["training_positives"] == 0.25
    assert figures["unknown_words_distance"] == 0.25
