"""`sentigate leaderboard`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentigate import artifacts
from sentigate.leaderboard.entry import entry_path, failure_path, inputs_sha256, read_entry
from sentigate.progress import doing

from .selection import PARAMS, choose
from .subprocesses import dvc, run_module

if TYPE_CHECKING:
    import pandas as pd

    from sentigate.settings.params import Params


def leaderboard(
    dataset: Annotated[
        str, typer.Option(help="A data set: a file of datasets/, without .yaml.")
    ] = "",
) -> None:
    """Train every model of params.yaml on one data set, and print a table that compares them.

    A model whose inputs have not changed is not trained again. A model that fails does not stop the
    others. The given data set becomes the choice in params.yaml.

    Example: sentigate leaderboard --dataset twitter
    """
    params = choose(PARAMS, {"dataset": dataset})
    dvc("repro", "baseline")
    entries: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for number, model in enumerate(params.models, start=1):
        print(f"\n[{number}/{len(params.models)}] {model}", flush=True)
        path, reason = entry_path(params.dataset, model), failure_path(model)
        reason.unlink(missing_ok=True)
        digest = inputs_sha256(params, model)
        if entry := read_entry(path, digest):
            print("has not changed, and is not trained again", flush=True)
            entries.append(entry)
            continue
        path.unlink(missing_ok=True)
        if not run_module("pipeline.leaderboard_entry", model, digest):
            entries.append(_read(path))
        elif reason.is_file():
            failed[model] = reason.read_text("utf-8").splitlines()[0]
        else:
            failed[model] = "its process failed; see its output above"
    if entries:
        _publish(params, entries, failed)
    for model, line in failed.items():
        print(f"failed  {model}: {line}")
    if failed:
        raise typer.Exit(1)


def _publish(params: Params, entries: list[dict[str, Any]], failed: dict[str, str]) -> None:
    """Write table, page and chart, and print the table."""
    with doing("making table and chart"):
        from sentigate.leaderboard.publish import publish

        baseline = _read(artifacts.BASELINE_REPORT)
        splits = _read(artifacts.SPLIT_REPORT)["splits"]
        title = f"{params.dataset}, test split of {splits['test']['rows']:,} texts"
        classes = params.chosen_dataset.classes
        table = publish(params.dataset, title, entries, failed, baseline, splits, classes)
    _print(table, title)
    print(f"linear baseline: {baseline['description']}")
    print("reports/leaderboard.md, reports/leaderboard.csv, reports/leaderboard.png")


def _print(table: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from sentigate.leaderboard.table import shown

    cells = shown(table)
    printed = Table(title=title)
    for column in cells.columns:
        printed.add_column(column.replace(" ", "\n", 1), justify="right", no_wrap=True)
    printed.columns[0].justify = "left"
    for row in cells.itertuples(index=False, name=None):
        printed.add_row(*row)
    Console(width=200, highlight=False).print(printed)


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
