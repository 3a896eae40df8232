"""Publish the leaderboard: replace its table, page and chart together."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sentigate.model.labels import Classes

from .chart import write_leaderboard_chart
from .table import leaderboard_markdown, leaderboard_table


def publish(
    dataset: str,
    title: str,
    entries: Sequence[Mapping[str, Any]],
    failed: Mapping[str, str],
    baseline: Mapping[str, Any],
    splits: Mapping[str, Any],
    classes: Classes,
) -> pd.DataFrame:
    """Write reports/leaderboard.md, .csv and .png.

    Args:
        dataset: Name of the data set.
        title: Title of page and chart.
        entries: One or more entries, as ``leaderboard_table`` takes them.
        failed: Model -> one line with the reason why it is not in the table.
        baseline: Content of reports/baseline.json.
        splits: ``splits`` from reports/split.json.
        classes: Names of the data set's classes.

    Returns:
        The table, with dataset as its first column.
    """
    table = leaderboard_table(entries, baseline, splits, classes)
    scratch = Path(".stage/leaderboard")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        page = leaderboard_markdown(table, title, baseline["description"], failed)
        (scratch / "leaderboard.md").write_text(page, encoding="utf-8")
        table.insert(0, "dataset", dataset)
        table.to_csv(scratch / "leaderboard.csv", index=False, lineterminator="\n")
        write_leaderboard_chart(table, title, scratch / "leaderboard.png")
        for path in scratch.iterdir():
            path.replace(Path("reports") / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return table
