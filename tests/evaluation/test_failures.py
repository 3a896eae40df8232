"""Accuracy of network and baseline in groups of similar texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.answers import class_answers

from sentigate.errors import DataError
from sentigate.evaluation.failures import failure_groups
from sentigate.evaluation.intervals import wilson_interval


def texts(**columns: Any) -> pd.DataFrame:
    """Return rows on which network and baseline are right, with ``columns`` replaced."""
    (rows,) = {len(values) for values in columns.values()}
    usual = {
        "text": "a film",
        "length": 2,
        "unknown_share": 0.0,
        "label": 1,
        "predicted": 1,
        "baseline_predicted": 1,
    }
    return pd.DataFrame(usual | columns, index=range(rows))


def groups(frame: pd.DataFrame, by: str) -> dict[str, int]:
    table = failure_groups(frame)
    part = table.loc[table["by"] == by]
    return dict(zip(part["group"], part["rows"].tolist(), strict=True))


def test_a_groups_figures_come_from_its_rows() -> None:
    labels, probabilities = class_answers(3)
    rng = np.random.default_rng(2)
    frame = texts(
        label=labels,
        predicted=probabilities.argmax(axis=1),
        baseline_predicted=rng.integers(0, 3, len(labels)),
        length=rng.integers(1, 60, len(labels)),
        unknown_share=rng.choice([0.0, 0.03, 0.1, 0.5], len(labels)),
        text=rng.choice(["a film", "not a film"], len(labels)),
    ).set_axis([7] * len(labels))  # an index must not matter
    alone = {
        ("negation", "with"): frame["text"] == "not a film",
        ("negation", "without"): frame["text"] == "a film",
        ("unknown tokens", "none"): frame["unknown_share"] == 0,
        ("unknown tokens", "up to 5 %"): frame["unknown_share"] == 0.03,
        ("unknown tokens", "up to 20 %"): frame["unknown_share"] == 0.1,
        ("unknown tokens", "more than 20 %"): frame["unknown_share"] == 0.5,
    }
    table = failure_groups(frame).set_index(["by", "group"])
    assert len(table) == 4 + 2 + 4
    for place, mask in alone.items():
        part, row = frame.loc[mask], table.loc[place]
        right = part["predicted"] == part["label"]
        assert (row["rows"], row["errors"]) == (len(part), (~right).sum())
        assert row["accuracy"] == pytest.approx(right.mean())
        ends = wilson_interval(np.array([right.sum()]), np.array([len(part)]))
        assert [row["accuracy_low"], row["accuracy_high"]] == pytest.approx(np.ravel(ends))
        baseline = part["baseline_predicted"] == part["label"]
        assert row["baseline_accuracy"] == pytest.approx(baseline.mean())
    totals = table["rows"].groupby("by").sum()
    assert totals.tolist() == [len(frame)] * 3


def test_lengths_are_in_quartiles() -> None:
    assert groups(texts(length=np.arange(1, 101)), "length") == {
        "1 to 25 tokens": 25,
        "26 to 50 tokens": 25,
        "51 to 75 tokens": 25,
        "76 to 100 tokens": 25,
    }


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([1], {"1 token": 1}),
        ([3, 3, 3, 3, 3], {"3 tokens": 5}),
        ([1, 9], {"1 token": 1, "2 to 9 tokens": 1}),
        ([64] * 9 + [5], {"5 to 64 tokens": 10}),
    ],
)
def test_few_or_equal_lengths_give_fewer_groups(
    lengths: list[int], expected: dict[str, int]
) -> None:
    assert groups(texts(length=lengths), "length") == expected


@pytest.mark.parametrize(
    "text",
    [
        "not a film", "there is no plot", "i don't care", "i don’t care", "i don t care",
        "i don\u02bct care", "i don`t care",
        "i dont care", "it isn't", "never again", "NOT good", "cannot", "can't", "he won't!",
        "nothing works", "without charm", "(no)", "neither", "shan't", "nobody's film",
    ],
)  # fmt: skip
def test_texts_with_negation(text: str) -> None:
    assert groups(texts(text=[text]), "negation") == {"with": 1}


@pytest.mark.parametrize(
    "text",
    ["a film", "i want it", "knot", "nothings", "notable", "now", "a font", "the piano", "don", "",
     "noon", "i do tango"],
)  # fmt: skip
def test_texts_without_negation(text: str) -> None:
    assert groups(texts(text=[text]), "negation") == {"without": 1}


def test_groups_of_unknown_tokens_include_their_upper_ends() -> None:
    shares = [0.0, 0.001, 0.05, 1 / 20, 0.051, 0.2, 2 / 10, 0.21, 1.0]
    assert groups(texts(unknown_share=shares), "unknown tokens") == {
        "none": 1,
        "up to 5 %": 3,
        "up to 20 %": 3,
        "more than 20 %": 2,
    }


def test_names_and_types_of_columns() -> None:
    table = failure_groups(texts(length=[1, 2]))
    assert table.columns.tolist() == [
        *("by", "group", "rows", "errors", "accuracy", "accuracy_low", "accuracy_high"),
        *("baseline_accuracy", "baseline_accuracy_low", "baseline_accuracy_high"),
    ]
    assert (table["rows"].dtype, table["errors"].dtype) == ("int64", "int64")
    assert table.index.tolist() == list(range(len(table)))
    assert not table.isna().any(axis=None)


def test_a_row_without_baseline_is_refused() -> None:
    with pytest.raises(DataError, match="none may be missing"):
        failure_groups(texts(baseline_predicted=[1, np.nan]))
