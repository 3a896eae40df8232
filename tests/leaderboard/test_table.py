"""Test the leaderboard's table, page and chart with made-up entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.leaderboard.chart import leaderboard_chart, write_leaderboard_chart
from sentigate.leaderboard.table import (
    BASELINE,
    MAJORITY,
    leaderboard_dtypes,
    leaderboard_markdown,
    leaderboard_table,
    shown,
)

LINEAR = {"accuracy": 0.788, "accuracy_low": 0.77, "accuracy_high": 0.8, "log_loss": 0.45}
LINEAR |= {"f1": 0.8, "mcc": 0.576, "recall": 0.79}
BASE = {"test": LINEAR, "validation": LINEAR | {"accuracy": 0.77, "log_loss": 0.46}}
SPLITS = {
    "validation": {"classes": {"negative": 0.7, "positive": 0.3}},
    "test": {"classes": {"negative": 0.4, "positive": 0.6}},
}


def entry(model: str, log_loss: float = 0.5, accuracy: float = 0.75, **others: Any) -> Any:
    return {
        "model": model,
        "dataset": "made",
        "seed": 42,
        "validation_accuracy": accuracy,
        "validation_log_loss": log_loss,
        "test_accuracy": accuracy - 0.01,
        "test_accuracy_low": accuracy - 0.03,
        "test_accuracy_high": accuracy + 0.01,
        "test_f1": accuracy + 0.01,
        "test_mcc": 2 * accuracy - 1,
        "test_log_loss": log_loss + 0.01,
        "test_recall": 0.5,  # not a headline figure
        "parameters": 1_234_567,
        "epochs": 8,
        "training_seconds": 1234.5,
        "texts_per_second": 9876,
        **others,
    }


@pytest.fixture
def table() -> pd.DataFrame:
    entries = [entry("slow", 0.5, 0.70), entry("quick", 0.4, 0.72), entry("odd", 0.45, 0.9)]
    return leaderboard_table(entries, BASE, SPLITS)


def test_order_is_by_validation_log_loss(table: pd.DataFrame) -> None:
    """The model odd has the highest accuracy, but not the lowest log loss."""
    assert list(table["model"]) == ["quick", "odd", BASELINE, "slow", MAJORITY]


@given(st.permutations([entry(f"m{n}", 0.3 + n / 100) for n in range(6)]))
def test_the_order_of_entries_does_not_matter(entries: list[Any]) -> None:
    models = list(leaderboard_table(entries, BASE, SPLITS)["model"])
    assert models == [*(f"m{n}" for n in range(6)), BASELINE, MAJORITY]


def test_table_holds_the_figures_of_entries_and_baseline(table: pd.DataFrame) -> None:
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == leaderboard_dtypes()
    rows = table.set_index("model")
    given_row = entry("quick", 0.4, 0.72)
    for key in rows.columns:
        assert rows.loc["quick", key] == given_row[key]
    linear = rows.loc[BASELINE]
    assert (linear["validation_accuracy"], linear["test_accuracy"]) == (0.77, 0.788)
    assert (linear["validation_log_loss"], linear["test_log_loss"]) == (0.46, 0.45)
    assert (linear["test_f1"], linear["test_mcc"]) == (0.8, 0.576)
    assert (linear["test_accuracy_low"], linear["test_accuracy_high"]) == (0.77, 0.8)
    commoner = rows.loc[MAJORITY]
    assert (commoner["validation_accuracy"], commoner["test_accuracy"]) == (0.7, 0.6)
    costs = ["parameters", "epochs", "training_seconds", "texts_per_second"]
    assert rows.loc[[BASELINE, MAJORITY], costs].isna().all(axis=None)


def test_cells_are_formatted_for_display(table: pd.DataFrame) -> None:
    cells = shown(table).set_index("model")
    assert list(cells.loc["quick"]) == [
        *("0.7200", "0.4000", "0.7100", "0.6900 – 0.7300", "0.7300", "0.4400", "0.4100"),
        *("1,234,567", "8", "1,234 s", "9,876"),
    ]
    assert list(cells.loc[MAJORITY]) == ["0.7000", "", "0.6000", *[""] * 8]


def test_page_holds_every_cell_and_the_models_that_failed(table: pd.DataFrame) -> None:
    page = leaderboard_markdown(
        table,
        "made, test split of 9 texts",
        "a, a linear model",
        {"broken": "no word occurs twice"},
    )
    lines = page.splitlines()
    assert lines[0] == "# made, test split of 9 texts"
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in lines if line[:1] == "|"]
    cells = shown(table)
    assert rows[0] == list(cells.columns)
    assert rows[2:] == cells.to_numpy().tolist()
    assert "The linear baseline is a, a linear model." in lines
    assert "- `broken`: no word occurs twice" in lines
    assert "validation log loss" in page.split("\n\n")[2]
    assert "Not in the table" not in leaderboard_markdown(table, "made", "a", {})


def test_table_without_entries_holds_baseline_and_majority_class() -> None:
    table = leaderboard_table([], BASE, SPLITS)
    assert list(table["model"]) == [BASELINE, MAJORITY]
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == leaderboard_dtypes()
    assert "| majority class |" in leaderboard_markdown(table, "made", "a", {"all": "broken"})


def test_chart_shows_every_model_with_its_interval(table: pd.DataFrame) -> None:
    figure = leaderboard_chart(table, "made, test split of 9 texts")
    accuracy, training, speed = figure.axes
    models = ["quick", "odd", "slow"]
    assert [tick.get_text() for tick in accuracy.get_yticklabels()] == models
    assert accuracy.yaxis_inverted()  # the best on top
    rows = table.set_index("model").loc[models]
    dots = accuracy.lines[0]
    np.testing.assert_array_equal(dots.get_xdata(), rows["test_accuracy"])
    (bars,) = accuracy.collections
    ends = [segment[:, 0] for segment in bars.get_segments()]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(ends, rows[["test_accuracy_low", "test_accuracy_high"]])
    assert {float(line.get_xdata()[0]) for line in accuracy.lines[1:]} == {0.788, 0.6}
    for axes, key in ((training, "training_seconds"), (speed, "texts_per_second")):
        assert [bar.get_width() for bar in axes.patches] == list(rows[key])
    (legend,) = figure.legends
    names = {text.get_text() for text in legend.get_texts()}
    assert {"Linear baseline, 78.8 %", "Majority class, 60.0 %"} < names


@pytest.mark.parametrize("count", [1, 40])
def test_chart_file_has_the_same_bytes_with_any_user_style(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    import matplotlib

    entries = [
        entry(f"m_{n}_$x$", 0.3 + n / 100, texts_per_second=10**n % 7919) for n in range(count)
    ]
    table = leaderboard_table(entries, BASE, SPLITS)
    write_leaderboard_chart(table, "made", tmp_path / "one.png")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 20)
    write_leaderboard_chart(table, "made", tmp_path / "two.png")
    content = (tmp_path / "one.png").read_bytes()
    assert content == (tmp_path / "two.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"Software" not in content
