"""Figures of slices, compared with the figures of their rows alone."""

from __future__ import annotations

import numpy as np
import pytest
from support.answers import EVALUATE, answers
from support.answers import answers_frame as frame

from sentigate.errors import DataError
from sentigate.evaluation.metrics import METRICS, classification_figures
from sentigate.evaluation.slices import slice_figures


def test_a_slices_figures_come_from_its_rows():
    labels, probabilities = answers()
    names = np.random.default_rng(1).choice(["a", "b", "c"], len(labels), p=[0.2, 0.5, 0.3])
    table = slice_figures(frame(labels, probabilities, names)).set_index("slice")
    assert table.index.tolist() == ["b", "c", "a"]
    for name, row in table.iterrows():
        alone = classification_figures(
            labels[names == name], probabilities[names == name], EVALUATE, seed=1
        )
        assert row["rows"] == alone["rows"]
        assert row["positives"] == pytest.approx(labels[names == name].mean())
        for key in ("accuracy", "f1", "log_loss"):
            assert row[key] == pytest.approx(alone[key], abs=1e-6)


def test_slices_of_one_size_are_sorted_by_name():
    table = slice_figures(frame([0, 1, 0, 1, 1], [0.1] * 5, ["b", "z", "c", "a", "z"]))
    assert table["slice"].tolist() == ["z", "a", "b", "c"]
    assert table["rows"].tolist() == [2, 1, 1, 1]
    assert table["f1"].tolist() == [0, 0, 0, 0]
    assert table.columns.tolist() == [
        *("slice", "rows", "positives", "accuracy", "accuracy_low", "accuracy_high"),
        *("f1", "log_loss"),
    ]


def test_slices_are_sorted_by_size_then_name():
    names = [f"s{n:03d}" for n in range(90) for _ in range(n % 3 + 1)]
    table = slice_figures(frame([0] * len(names), [0.1] * len(names), names))
    expected = sorted(set(names), key=lambda name: (-names.count(name), name))
    assert table["slice"].tolist() == expected


def test_a_row_without_a_slice_is_refused():
    with pytest.raises(DataError, match="1 row without a slice"):
        slice_figures(frame([0, 1], [0.1, 0.9], ["a", None]))


def test_figures_have_the_keys_of_metrics():
    columns = set(slice_figures(frame([0, 1], [0.1, 0.9], ["a", "b"])).columns)
    known = {key for metric in METRICS for key in (metric.key, *metric.interval_keys)}
    assert columns - known == {"slice", "positives"}
