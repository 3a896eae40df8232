"""The leaderboard: every trained model beside the linear baseline and the majority class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

BASELINE, MAJORITY = "linear baseline", "majority class"
DTYPES = {
    "model": "str",
    "validation_log_loss": "float64",
    "validation_accuracy": "float64",
    "test_accuracy": "float64",
    "test_accuracy_low": "float64",
    "test_accuracy_high": "float64",
    "test_log_loss": "float64",
    "parameters": "Int64",
    "epochs": "Int64",
    "training_seconds": "float64",
    "texts_per_second": "Int64",
}
RULE = (
    "Ordered by validation log loss, by which models are to be chosen; the test split has no say. "
    "Times depend on the machine and on what else it does."
)


def leaderboard_table(
    entries: Sequence[Mapping[str, Any]],
    baseline: Mapping[str, Mapping[str, float]],
    splits: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """A row for each entry, for the baseline and for the majority class.

    Args:
        entries: what reports/leaderboard/<model>.json hold, of one data set and seed.
        baseline: what reports/baseline.json holds.
        splits: ``splits`` of reports/split.json: the share of positives in each split.

    Returns:
        The columns of ``DTYPES``, NaN or NA where there is no such figure; ordered by validation
        log loss, lowest first, and the majority class, which has none, last.
    """
    linear = {
        f"{split}_{key}": value
        for split in ("validation", "test")
        for key, value in baseline[split].items()
    }
    commoner = {
        f"{split}_accuracy": max(splits[split]["positives"], 1 - splits[split]["positives"])
        for split in ("validation", "test")
    }
    rows = [*entries, {"model": BASELINE, **linear}, {"model": MAJORITY, **commoner}]
    table = pd.DataFrame(rows).reindex(columns=list(DTYPES)).astype(DTYPES)
    return table.sort_values("validation_log_loss", kind="stable", ignore_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A ``leaderboard_table`` as people read it: all str, "" where there is no figure."""

    def cells(key: str, form: str) -> list[str]:
        return ["" if pd.isna(value) else form.format(value) for value in table[key]]

    lows, highs = (cells(f"test_accuracy_{end}", "{:.4f}") for end in ("low", "high"))
    return pd.DataFrame(
        {
            "model": cells("model", "{}"),
            "validation log loss": cells("validation_log_loss", "{:.4f}"),
            "validation accuracy": cells("validation_accuracy", "{:.4f}"),
            "test accuracy": cells("test_accuracy", "{:.4f}"),
            "interval (95 %)": [
                f"{low} – {high}" if low else "" for low, high in zip(lows, highs, strict=True)
            ],
            "test log loss": cells("test_log_loss", "{:.4f}"),
            "parameters": cells("parameters", "{:,}"),
            "epochs": cells("epochs", "{}"),
            "training": cells("training_seconds", "{:,.0f} s"),
            "texts/s": cells("texts_per_second", "{:,}"),
        }
    )


def leaderboard_markdown(table: pd.DataFrame, title: str, failed: Mapping[str, str]) -> str:
    """A page: the table, how it is ordered, and the models that are missing.

    Args:
        table: a ``leaderboard_table``.
        title: its heading.
        failed: model -> why it is not in the table, in one line.
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
    ]
    if failed:
        lines += ["", "Not in the table:", ""]
        lines += [f"- `{model}`: {reason}" for model, reason in failed.items()]
    return "\n".join(lines) + "\n"
