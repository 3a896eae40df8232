"""The behavioural tests of the project, and refusals of malformed tests."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentigate.errors import DataError
from sentigate.evaluation.behaviour_cases import (
    CASES,
    CURLY,
    DOUBLED,
    NOT_HIGHER,
    NOT_LOWER,
    SAME,
    SWAPPED,
    Case,
    read_suite,
)
from sentigate.model.labels import BINARY

EXPECTED = {"MFT": set(BINARY.names), "INV": {SAME}, "DIR": {NOT_LOWER, NOT_HIGHER}}
MFT = {"capability": "words", "kind": "MFT", "says": "x", "expect": "positive"}
INV = {"capability": "words", "kind": "INV", "says": "x"}
DIR = {"capability": "words", "kind": "DIR", "says": "x", "expect": NOT_LOWER}


def suite_of(folder: Path, *tests: dict[str, Any], **changes: Any) -> list[Case]:
    content = {"tolerance": 0.1, "words": {"a": ["one", "two"], "b": ["three", "four"]}}
    content |= {"unknown_words": ["qx"], "tests": list(tests)} | changes
    path = folder / "tests.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return read_suite(path).cases


def test_every_case_is_well_formed_and_unique() -> None:
    suite = read_suite(CASES)
    assert 300 < len(suite.cases) < 1000
    assert len({(case.text, case.changed) for case in suite.cases}) == len(suite.cases)
    for case in suite.cases:
        assert case.expect in EXPECTED[case.kind]
        for text in filter(None, (case.text, case.changed)):
            assert re.fullmatch(r"[A-Z][A-Za-z'\u2019 ,.]+\.", text), text
            assert "  " not in text
        assert (case.changed == "") == (case.kind == "MFT")
        assert case.text != case.changed
    assert suite == read_suite(CASES)


def test_every_capability_has_cases_of_both_answers() -> None:
    cases = read_suite(CASES).cases
    assert set(Counter(case.capability for case in cases)) == {
        *("vocabulary", "negation", "temporal", "intensifiers", "typos", "apostrophes", "entities")
    }
    for capability in ("vocabulary", "negation", "temporal"):
        wanted = Counter(case.expect for case in cases if case.capability == capability)
        assert wanted["positive"] == wanted["negative"] > 20
    wanted = Counter(case.expect for case in cases if case.kind == "DIR")
    assert min(wanted[NOT_LOWER], wanted[NOT_HIGHER]) > 40


def test_no_text_has_two_labels() -> None:
    labels: dict[str, str] = {}
    for case in read_suite(CASES).cases:
        if case.kind == "MFT":
            assert labels.setdefault(case.text, case.expect) == case.expect


def test_templates_stand_for_every_combination(tmp_path: Path) -> None:
    cases = suite_of(tmp_path, MFT | {"texts": ["{a} {b} {a}", "plain"]})
    assert [case.text for case in cases] == [
        *("one three one", "one four one", "two three two", "two four two", "plain")
    ]
    assert {(case.changed, case.expect) for case in cases} == {("", "positive")}


def test_dir_cases_add_the_words_in_brackets(tmp_path: Path) -> None:
    cases = suite_of(tmp_path, DIR | {"texts": ["so [{a} ]good"]})
    assert [(case.text, case.changed) for case in cases] == [
        ("so good", "so one good"),
        ("so good", "so two good"),
    ]


def test_a_word_is_replaced_by_each_other_word(tmp_path: Path) -> None:
    cases = suite_of(tmp_path, INV | {"change": "b", "texts": ["a {b} b"]})
    (case,) = cases
    assert (case.text, case.changed, case.expect) == ("a three b", "a four b", SAME)


def test_an_apostrophe_becomes_a_curly_one(tmp_path: Path) -> None:
    (case,) = suite_of(tmp_path, INV | {"change": CURLY, "texts": ["I can't, won't"]})
    assert (case.text, case.changed) == ("I can't, won't", "I can\u2019t, won\u2019t")
    with pytest.raises(DataError, match="'plain' needs an apostrophe"):
        suite_of(tmp_path, INV | {"change": CURLY, "texts": ["plain"]})


@pytest.mark.parametrize(
    ("change", "typos"),
    [
        (SWAPPED, ["Our wtaer came late, really", "Our water came late, relaly"]),
        (DOUBLED, ["Our watter came late, really", "Our water came late, reallly"]),
    ],
)
def test_each_long_word_gets_a_typo(tmp_path: Path, change: str, typos: list[str]) -> None:
    cases = suite_of(tmp_path, INV | {"change": change, "texts": ["Our water came late, really"]})
    assert [case.changed for case in cases] == typos


def test_swapped_letters_differ(tmp_path: Path) -> None:
    (case,) = suite_of(tmp_path, INV | {"change": SWAPPED, "texts": ["ahhhh"]})
    assert case.changed == "hahhh"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (MFT | {"texts": ["{c}"]}, "tests.0: there is no list 'c'; allowed: a, b"),
        (MFT | {"texts": ["{a"]}, "'{' in '{a' has no counterpart"),
        (MFT | {"texts": ["a]"]}, "']' in 'a]' has no counterpart"),
        (MFT | {"texts": []}, "tests.0.texts: List should have at least 1 item"),
        (MFT | {"texts": ["same", "same"]}, "tests.0: 'same' is in the file twice"),
        (MFT | {"texts": [3]}, "tests.0.texts.0: Input should be a valid string (given: 3)"),
        (MFT | {"texts": ["a"], "expect": "good"},
         "tests.0: expect is 'good'; allowed with MFT: negative or positive"),
        (MFT | {"texts": ["a"], "change": "a"}, "other kinds must not have change"),
        (MFT | {"texts": ["a"], "kind": "XYZ"}, "tests.0.kind: Input should be 'MFT', 'INV' or"),
        (MFT | {"texts": ["a"], "capability": "Two words"}, "tests.0.capability"),
        (MFT | {"texts": ["a"], "more": 1}, "unknown key 'more'; allowed: capability, kind"),
        (INV | {"texts": ["a"]}, "INV needs change"),
        (INV | {"texts": ["{a}"], "change": "a", "expect": "positive"},
         "expect is 'positive'; allowed with INV: nothing"),
        (INV | {"texts": ["plain"], "change": "a"}, "'plain' needs one {a} and no other list"),
        (INV | {"texts": ["{a} {b}"], "change": "a"}, "needs one {a} and no other list"),
        (INV | {"texts": ["{a}"], "change": "c"}, "needs one {c}"),
        (DIR | {"texts": ["plain"]}, "'plain' needs one part in [brackets]"),
        (DIR | {"texts": ["a [b] [c]"]}, "needs one part in [brackets]"),
        (DIR | {"texts": ["a [b]"], "expect": "positive"},
         "expect is 'positive'; allowed with DIR: not lower or not higher"),
    ],
)  # fmt: skip
def test_a_malformed_test_is_refused(tmp_path: Path, test: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        suite_of(tmp_path, test)
    assert str(raised.value).startswith("tests.yaml: ")
    assert "\n" not in str(raised.value)


def test_a_case_of_another_test_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"tests\.1: 'one' is in the file twice"):
        suite_of(tmp_path, MFT | {"texts": ["one"]}, MFT | {"texts": ["{a}"]})


def test_other_parts_are_checked(tmp_path: Path) -> None:
    good = MFT | {"texts": ["one"]}
    for change, message in {
        "tolerance": "tests.yaml: tolerance: Input should be less than 1",
        "unknown_words": "tests.yaml: unknown_words: Input should be a valid list",
    }.items():
        with pytest.raises(DataError, match=re.escape(message)):
            suite_of(tmp_path, good, **{change: 2})
    (tmp_path / "bad.yaml").write_text("a: [", "utf-8")
    with pytest.raises(DataError, match=r"bad\.yaml is not YAML"):
        read_suite(tmp_path / "bad.yaml")
