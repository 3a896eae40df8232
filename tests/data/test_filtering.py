"""Filtering: which rows each rule drops, in which order, and the form of the kept rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cleaning import cleaning

from sentigate.data.filtering import CHUNK, class_checks, label_and_clean, text_checks
from sentigate.errors import DataError
from sentigate.settings.dataset import CleanParams

CLASSES = ("negative", "positive")
LABELS = {"Positive": "positive", "Negative": "negative", "Neutral": None}
CLEAN = CleanParams(
    steps=cleaning("lowercase", "remove_mentions", "squeeze_whitespace"),
    drop_duplicates=True,
    drop_conflicts=True,
)
COLUMNS = ["id", "group", "slice", "fold", "date", "label", "text"]


def raw(*rows: tuple[str, str] | tuple[str, str, str]) -> pd.DataFrame:
    """Rows of (sentiment, text) or (sentiment, text, fold), numbered from 0."""
    return pd.DataFrame(
        [
            {
                "id": f"r{number}",
                "group": f"g{number // 2}",
                "slice": "s",
                "sentiment": row[0],
                "text": row[1],
                "fold": row[2] if len(row) == 3 else "",
                "date": f"2026-01-{number + 1:02}",
            }
            for number, row in enumerate(rows)
        ],
        columns=["id", "group", "slice", "sentiment", "text", "fold", "date"],
        dtype="str",
    )


def filtered(
    frame: pd.DataFrame,
    folds: tuple[str, ...] | None = None,
    duplicates: bool = True,
    conflicts: bool = True,
) -> tuple[pd.DataFrame, dict[str, int]]:
    choices = {"folds": folds, "drop_duplicates": duplicates, "drop_conflicts": conflicts}
    texts, taken, *_ = label_and_clean(frame, LABELS, CLASSES, CLEAN.model_copy(update=choices))
    return texts, taken


EXAMPLE = raw(
    ("Positive", "Great", "train"),
    ("Negative", "  GREAT ", "train"),  # the same text, the other label
    ("Neutral", "Great", "train"),  # dropped before it could conflict
    ("Positive", "Fine @ann", "train"),
    ("Positive", "fine", "train"),  # the same text after cleaning
    ("Negative", "bad", "validation"),
    ("Negative", "bad", "train"),
    ("Negative", " @ann ", "train"),  # empty after cleaning
    ("Positive", "", "train"),
)


def test_each_rule_is_counted_in_the_order_it_is_applied() -> None:
    texts, taken = filtered(EXAMPLE, folds=("train",))
    assert list(taken.items()) == [
        ("fold_left_out", 1),
        ("sentiment_left_out", 1),
        ("empty", 2),
        ("several_labels", 2),
        ("duplicate", 1),
        ("kept", 2),
    ]
    assert texts[["id", "label", "text"]].values.tolist() == [["r3", 1, "fine"], ["r6", 0, "bad"]]


def test_dropped_rows_are_counted_for_each_published_fold() -> None:
    folds = label_and_clean(EXAMPLE, LABELS, CLASSES, CLEAN).folds
    assert folds == {
        "train": {
            "sentiment_left_out": 1, "empty": 2, "several_labels": 2, "duplicate": 2, "kept": 1,
        },
        "validation": {"kept": 1},
    }  # fmt: skip
    only_train = CLEAN.model_copy(update={"folds": ("train",)})
    folds = label_and_clean(EXAMPLE, LABELS, CLASSES, only_train).folds
    assert folds["validation"] == {"fold_left_out": 1}
    folds = label_and_clean(raw(("Positive", "a")), LABELS, CLASSES, CLEAN).folds
    assert folds == {}  # no published fold


def test_folds_null_keeps_every_fold_and_counts_no_dropped_fold() -> None:
    texts, taken = filtered(EXAMPLE)
    assert "fold_left_out" not in taken
    assert taken["duplicate"] == 2
    assert texts["id"].tolist() == ["r3", "r5"]  # the first of two duplicates is kept
    assert texts["fold"].tolist() == ["train", "validation"]


def test_a_row_without_a_fold_beside_published_folds_is_dropped() -> None:
    rows = raw(("Positive", "a", "train"), ("Positive", "b", ""), ("Negative", "c", "test"))
    texts, taken = filtered(rows)
    assert taken["fold_left_out"] == 1
    assert texts["id"].tolist() == ["r0", "r2"]
    assert texts["date"].tolist() == ["2026-01-01", "2026-01-03"]


def test_a_rule_that_is_off_drops_nothing_and_is_not_counted() -> None:
    texts, taken = filtered(EXAMPLE, duplicates=False, conflicts=False)
    assert list(taken) == ["sentiment_left_out", "empty", "kept"]
    assert texts["text"].tolist() == ["great", "great", "fine", "fine", "bad", "bad"]


def test_duplicates_alone_keep_a_text_once_for_each_label() -> None:
    texts, taken = filtered(EXAMPLE, conflicts=False)
    assert taken["duplicate"] == 2
    assert texts.loc[texts["text"] == "great", "label"].tolist() == [1, 0]


def test_conflicts_alone_keep_repetitions() -> None:
    texts, taken = filtered(EXAMPLE, duplicates=False)
    assert taken["several_labels"] == 2
    assert texts["text"].tolist() == ["fine", "fine", "bad", "bad"]


def test_a_row_of_a_dropped_fold_cannot_conflict() -> None:
    frame = raw(("Positive", "same", "train"), ("Negative", "same", "validation"))
    assert filtered(frame, folds=("train",))[1] == {
        "fold_left_out": 1, "sentiment_left_out": 0, "empty": 0, "several_labels": 0,
        "duplicate": 0, "kept": 1,
    }  # fmt: skip


def test_the_error_names_an_unknown_sentiment_and_its_row() -> None:
    frame = raw(("Positive", "a"), ("Mixed", "b"), ("positive", "c"))
    with pytest.raises(DataError) as error:
        filtered(frame)
    message = str(error.value)
    assert "2 rows" in message
    assert "r1" in message
    assert "'Mixed'" in message
    assert all(name in message for name in LABELS)


def test_an_unknown_sentiment_is_refused_in_a_dropped_fold_too() -> None:
    with pytest.raises(DataError, match="Mixed"):
        filtered(raw(("Positive", "a", "train"), ("Mixed", "b", "test")), folds=("train",))


def test_the_error_shortens_a_long_sentiment() -> None:
    with pytest.raises(DataError) as error:
        filtered(raw(("x" * 5000, "a")))
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "frame", [EXAMPLE, EXAMPLE.iloc[:0], EXAMPLE.iloc[[2]], EXAMPLE.iloc[[8]]],
    ids=["rows", "none", "left out", "empty"],
)  # fmt: skip
@pytest.mark.parametrize("folds", [None, ("test",), ("train", "validation")])
def test_columns_types_and_index(frame: pd.DataFrame, folds: tuple[str, ...] | None) -> None:
    texts, taken = filtered(frame, folds)
    assert list(texts.columns) == COLUMNS
    assert {column: str(texts[column].dtype) for column in COLUMNS} == {
        **dict.fromkeys(COLUMNS, "str"),
        "label": "int8",
    }
    assert texts.index.equals(pd.RangeIndex(len(texts)))
    assert taken["kept"] == len(texts)


def test_more_texts_than_one_chunk() -> None:
    frame = raw(*[("Positive", f"  TEXT {number}") for number in range(2 * CHUNK + 3)])
    texts, _ = filtered(frame.iloc[::-1])
    assert texts["text"].tolist() == [f"text {number}" for number in reversed(range(2 * CHUNK + 3))]
    assert texts["id"].tolist() == [f"r{number}" for number in reversed(range(2 * CHUNK + 3))]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "été"]), st.integers(0, 5))))
def test_checks_equal_counts_by_pandas(rows: list[tuple[str, int]]) -> None:
    texts = pd.DataFrame(rows, columns=["text", "label"]).astype({"text": "str", "label": "int8"})
    texts.index += 7
    checks = text_checks(texts)
    assert checks.index.equals(texts.index)
    assert checks["characters"].tolist() == [len(text) for text, _ in rows]
    groups = texts.groupby("text")["label"]
    assert checks["rows_of_text"].tolist() == groups.transform("size").tolist()
    assert checks["labels_of_text"].tolist() == groups.transform("nunique").tolist()


@pytest.mark.parametrize("count", [2, 3, 64])
def test_a_label_is_the_index_of_the_class(count: int) -> None:
    names = [f"class {number}" for number in range(count)]
    labels = {f"s{number}": name for number, name in enumerate(names)} | {"more": names[-1]}
    rows = [(sentiment, f"text {number}") for number, sentiment in enumerate(labels)]
    rows += [("left out", "a"), ("s0", "same"), ("s1", "same"), ("more", "same")]
    texts, taken, *_ = label_and_clean(raw(*rows), {**labels, "left out": None}, names, CLEAN)
    assert texts["label"].tolist() == [*range(count), count - 1]
    assert (taken["sentiment_left_out"], taken["several_labels"]) == (1, 3)


def test_class_checks_by_hand() -> None:
    texts = pd.DataFrame({"label": np.array([2, 0, 2, 2, 0], np.int8)}, index=range(3, 8))
    checks = class_checks(texts, ["bad", "fair", "good"])
    assert checks["class"].tolist() == ["good", "bad", "good", "good", "bad"]
    assert checks["class_share"].tolist() == [0.6, 0.4, 0.6, 0.6, 0.4]
    assert checks.index.equals(texts.index)
    assert class_checks(texts.iloc[:0], ["bad", "good"]).empty


ROWS = st.lists(
    st.tuples(
        st.sampled_from(list(LABELS)),
        st.sampled_from(["good", "GOOD ", "bad", "so so", " ", "@ann"]),
        st.sampled_from(["train", "test", "validation"]),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(ROWS, st.booleans(), st.booleans(), st.sampled_from([None, ("train",), ("train", "test")]))
def test_every_row_is_kept_or_counted_once(
    rows: list[tuple[str, str, str]],
    duplicates: bool,
    conflicts: bool,
    folds: tuple[str, ...] | None,
) -> None:
    frame = raw(*rows)
    before = frame.copy()
    texts, taken = filtered(frame, folds, duplicates, conflicts)
    pd.testing.assert_frame_equal(frame, before)
    assert sum(taken.values()) == len(frame)
    assert all(count >= 0 for count in taken.values())
    numbers = texts["id"].str.removeprefix("r").astype(int)
    assert numbers.is_monotonic_increasing
    original = frame.set_index("id").loc[texts["id"]]
    assert texts["label"].tolist() == [
        CLASSES.index(str(LABELS[name])) for name in original["sentiment"]
    ]
    for column in ("group", "slice", "fold"):
        assert texts[column].tolist() == original[column].tolist()
    assert (texts["text"] != "").all()
    if folds is not None:
        assert texts["fold"].isin(folds).all()
    if duplicates:
        assert not texts.duplicated(["text", "label"]).any()
    if conflicts and len(texts):
        assert texts.groupby("text")["label"].nunique().max() == 1
