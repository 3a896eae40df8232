"""The figures of reports/data.html, computed by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sentigate.evaluation.data_figures import (
    class_balance,
    conflicting_texts,
    families,
    text_languages,
    text_lengths,
)
from sentigate.model.labels import BINARY

A = "one two three four five six seven eight nine ten eleven"
NEAR_A = f"{A} twelve"
B = "this text is here twice and in two splits"
ROWS = pd.DataFrame(
    [
        ("g1", "train", 1, A),
        ("g1", "train", 1, NEAR_A),
        ("g2", "train", 0, B),
        ("g3", "test", 1, B),
        ("g4", "train", 0, "fine"),
        ("g5", "train", 0, "fine"),
        ("g6", "train", 0, "fine then"),
        ("g7", "validation", 0, "nothing is like this"),
    ],
    columns=["group", "split", "label", "text"],
).astype({"label": "int8", "text": "str"})


def test_classes_are_counted_by_split() -> None:
    counts = {name: found.tolist() for name, found in class_balance(ROWS, BINARY).items()}
    assert counts == {"train": [4, 2], "validation": [1, 0], "test": [0, 1], "all": [5, 3]}
    assert list(class_balance(ROWS.iloc[:2], BINARY)) == ["train", "all"]


def test_lengths_are_counted_in_words() -> None:
    found = text_lengths(ROWS, BINARY)
    assert found.unit == "words"
    rows = {row.pop("name"): row for row in found.rows}
    assert rows["all"] == {"texts": 8, "least": 1, "low": 1, "median": 4, "high": 12, "most": 12}
    assert rows["class positive"]["median"] == 11
    assert list(rows) == ["all", "train", "validation", "test", "class negative", "class positive"]
    assert sum(bar.texts for bar in found.bars) + found.longer == 8
    assert {bar.low: bar.texts for bar in found.bars if bar.texts} == {
        1: 2, 2: 1, 4: 1, 9: 2, 11: 1, 12: 1
    }  # fmt: skip


def test_long_texts_do_not_squeeze_the_histogram() -> None:
    texts = pd.Series(["a b c"] * 199 + ["word " * 5000], dtype="str")
    splits = pd.DataFrame({"split": "train", "label": np.int8(0), "text": texts})
    found = text_lengths(splits, BINARY)
    assert found.longer == 1
    assert found.bars[-1].high == 3
    assert found.rows[0]["most"] == 5000


def test_texts_without_spaces_are_measured_in_characters() -> None:
    texts = pd.Series(["手机很好用，推荐大家购买", "服务很差"], dtype="str")
    splits = pd.DataFrame({"split": "train", "label": np.int8(0), "text": texts})
    found = text_lengths(splits, BINARY)
    assert (found.unit, found.rows[0]["least"], found.rows[0]["most"]) == ("characters", 4, 12)


def test_families_by_groups_splits_and_labels() -> None:
    found = families(ROWS, 10)
    assert found.counts == {
        "all": {"families": 3, "rows": 6},
        "one_group": {"families": 1, "rows": 2},
        "several_groups": {"families": 2, "rows": 4},
        "several_splits": {"families": 1, "rows": 2},
        "several_labels": {"families": 1, "rows": 2},
    }
    first, *_ = found.table
    assert first == {
        "rows": 2, "groups": 2, "splits": ["train", "test"], "labels": [0, 1], "texts": [B],
    }  # fmt: skip
    assert [A, NEAR_A] in [row["texts"] for row in found.table]
    assert len(families(ROWS, 1).table) == 1


def test_no_families() -> None:
    found = families(ROWS.iloc[[0, 2, 7]], 10)
    assert found.table == []
    assert {count for kind in found.counts.values() for count in kind.values()} == {0}


def test_conflicts_are_listed_with_their_rows() -> None:
    conflicts = pd.DataFrame(
        [("a", 1, "x"), ("b", 0, "x"), ("c", 1, "x"), ("d", 0, "y"), ("e", 1, "y")],
        columns=["id", "label", "text"],
    )
    assert conflicting_texts(conflicts, 1) == [{"text": "x", "ids": {0: ["b"], 1: ["a", "c"]}}]
    assert [row["text"] for row in conflicting_texts(conflicts, 5)] == ["x", "y"]
    assert conflicting_texts(conflicts.iloc[:0], 5) == []


def test_languages_of_a_sample() -> None:
    texts = pd.Series(["i would not buy this again"] * 30 + ["das würde ich nicht kaufen"] * 10)
    every = text_languages(texts, 100, 1)
    assert every == ({"en": 0.75, "de": 0.25}, 40, 40)
    some = text_languages(texts, 20, 1)
    assert (some.judged, some.texts) == (20, 40)
    assert some == text_languages(texts, 20, 1)
