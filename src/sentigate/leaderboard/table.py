"""Build the table: every trained model beside the linear baseline and the majority class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from sentigate.evaluation.formats import precise
from sentigate.evaluation.metrics import TEST, VALIDATION, Metric, flat, headlines

BASELINE, MAJORITY = "linear baseline", "majority class"
COSTS = {
    "parameters": "Int64",
    "epochs": "Int64",
    "training_seconds": "float64",
    "texts_per_second": "Int64",
}
"""Column of a cost -> its dtype."""
RULE = (
    "Ordered by validation log loss. Choose a model by it, not by figures of the test split. Times "
    "depend on the machine and its load."
)


def leaderboard_dtypes() -> dict[str, str]:
    """Return column -> dtype, in order: headline figures of both splits, then the costs.

    Only test figures have intervals, because validation figures only order the models.
    """
    dtypes = {"model": "str"}
    for split, metric in _columns():
        dtypes[f"{split}_{metric.key}"] = "Int64" if metric.unit == "count" else "float64"
        if split == TEST and metric.interval:
            dtypes |= {f"{split}_{key}": "float64" for key in metric.interval_keys}
    return dtypes | COSTS


def leaderboard_table(
    entries: Sequence[Mapping[str, Any]],
    baseline: Mapping[str, Any],
    splits: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Build a table with a row for each entry, the baseline and the majority class.

    Args:
        entries: Contents of reports/leaderboard/<dataset>/<model>.json, for one data set and seed.
        baseline: Content of reports/baseline.json.
        splits: ``splits`` from reports/split.json, with the share of each class in each split.

    Returns:
        The columns of ``leaderboard_dtypes``; a missing figure is NaN or NA. The rows are ordered
        by validation log loss, lowest first. The majority class has no log loss and is last.
    """
    majority = {
        split: {"accuracy": max(splits[split]["classes"].values())} for split in (VALIDATION, TEST)
    }
    rows = [
        *entries,
        {"model": BASELINE, **flat(baseline)},
        {"model": MAJORITY, **flat(majority)},
    ]
    dtypes = leaderboard_dtypes()
    table = pd.DataFrame(rows).reindex(columns=list(dtypes)).astype(dtypes)
    return table.sort_values("validation_log_loss", kind="stable", ignore_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Format a ``leaderboard_table`` for display: all str, "" for a missing figure."""

    def written(column: str, form: Callable[[Any], str]) -> list[str]:
        return ["" if pd.isna(value) else form(value) for value in table[column]]

    cells = {"model": written("model", str)}
    for split, metric in _columns():
        form = partial(precise, unit=metric.unit)
        cells[f"{split} {metric.title}"] = written(f"{split}_{metric.key}", form)
        low, high = (f"{split}_{key}" for key in metric.interval_keys)
        if low in table:
            cells[f"{metric.title} interval (95 %)"] = [
                f"{least} – {most}" if least else ""
                for least, most in zip(written(low, form), written(high, form), strict=True)
            ]
    cells |= {
        "parameters": written("parameters", "{:,}".format),
        "epochs": written("epochs", str),
        "training": written("training_seconds", "{:,.0f} s".format),
        "texts/s": written("texts_per_second", "{:,}".format),
    }
    return pd.DataFrame(cells)


def leaderboard_markdown(
    table: pd.DataFrame, title: str, baseline: str, failed: Mapping[str, str]
) -> str:
    """Write a page with the table, its order, the baseline's description and the missing models.

    Args:
        table: A ``leaderboard_table``.
        title: Heading of the page.
        baseline: ``description`` from reports/baseline.json.
        failed: Model -> one line with the reason why it is not in the table.
    """
    cells = shown(table)
    lines = [
        f"# {title}",
        "",
        f"| {' | '.join(cells.columns)} |",
        f"|---{'|---:' * (len(cells.columns) - 1)}|",
        *(f"| {' | '.join(row)} |" for row in cells.itertuples(index=False, name=None)),
        "",
        RULE,
        "",
        f"The {BASELINE} is {baseline}.",
    ]
    if failed:
        lines += ["", "Not in the table:", ""]
        lines += [f"- `{model}`: {reason}" for model, reason in failed.items()]
    return "\n".join(lines) + "\n"


def _columns() -> Iterator[tuple[str, Metric]]:
    for split in (VALIDATION, TEST):
        for metric in headlines(split):
            yield split, metric
