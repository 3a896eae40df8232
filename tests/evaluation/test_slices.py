"""Figures of slices, compared with the figures of their rows alone."""

from __future__ import annotations

import numpy as np
import pytest
from support.answers import EVALUATE, class_answers, some_classes
from support.answers import answers_frame as frame

from sentigate.errors import DataError
from sentigate.evaluation.metrics import METRICS, classification_figures
from sentigate.evaluation.slices import slice_figures
from sentigate.model.labels import BINARY


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_slices_figures_come_from_its_rows(count: int) -> None:
    labels, probabilities = class_answers(count)
    classes = some_classes(count)
    names = np.random.default_rng(1).choice(["a", "b", "c"], len(labels), p=[0.2, 0.5, 0.3])
    table = slice_figures(frame(labels, probabilities, names), classes).set_index("slice")
    assert table.index.tolist() == ["b", "c", "a"]
    for name, row in table.iterrows():
        alone = classification_figures(
            labels[names == name], probabilities[names == name], classes, EVALUATE, seed=1
        )
        assert row["rows"] == alone["rows"]
        if count == 2:
            assert row["positives"] == pytest.approx(labels[names == name].mean())
        for key in ("accuracy", "f1" if count == 2 else "macro_f1", "log_loss"):
            assert row[key] == pytest.approx(alone[key], abs=1e-6)


def test_many_slices_of_many_classes_are_computed_in_parts() -> None:
    labels, probabilities = class_answers(64, rows=5000)
    names = [f"s{n % 2000:04d}" for n in range(5000)]
    rows = frame(labels, probabilities, names)
    table = slice_figures(rows, some_classes(64)).set_index("slice")
    for name in ("s0000", "s1023", "s1024", "s1999"):
        alone = slice_figures(rows.loc[rows["slice"] == name], some_classes(64))
        assert table.loc[name, "macro_f1"] == alone.loc[0, "macro_f1"]


def test_figures_of_several_classes_have_no_positive_class() -> None:
    columns = slice_figures(frame(*class_answers(3), "a"), some_classes(3)).columns.tolist()
    assert columns == [
        *("slice", "rows", "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "log_loss")
    ]


def test_slices_of_one_size_are_sorted_by_name():
    table = slice_figures(frame([0, 1, 0, 1, 1], [0.1] * 5, ["b", "z", "c", "a", "z"]), BINARY)
    assert table["slice"].tolist() == ["z", "a", "b", "c"]
    assert table["rows"].tolist() == [2, 1, 1, 1]
    assert table["f1"].tolist() == [0, 0, 0, 0]
    assert table.columns.tolist() == [
        *("slice", "rows", "positives", "accuracy", "accuracy_low", "accuracy_high"),
        *("f1", "log_loss"),
    ]


def test_slices_are_sorted_by_size_then_name():
    names = [f"s{n:03d}" for n in range(90) for _ in range(n % 3 + 1)]
    table = slice_figures(frame([0] * len(names), [0.1] * len(names), names), BINARY)
    expected = sorted(set(names), key=lambda name: (-names.count(name), name))
    assert table["slice"].tolist() == expected


def test_a_row_without_a_slice_is_refused():
    with pytest.raises(DataError, match="1 row without a slice"):
        slice_figures(frame([0, 1], [0.1, 0.9], ["a", None]), BINARY)


def test_figures_have_the_keys_of_metrics():
    columns = set(slice_figures(frame([0, 1], [0.1, 0.9], ["a", "b"]), BINARY).columns)
    known = {key for metric in METRICS for key in (metric.key, *metric.interval_keys)}
    assert columns - known == {"slice", "positives"}
