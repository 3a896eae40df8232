"""split: deal the texts to train, validation and test, and measure what leaks."""

from __future__ import annotations

from pathlib import Path

from pipeline.stage import Output, StageRun, run
from sentigate.data.splitting import leakage, split_checks, split_rows, split_summary
from sentigate.data.stage_files import SPLITS, read_table
from sentigate.progress import doing

COLUMNS = ("id", "group", "slice", "fold", "label", "text")


def split(stage: StageRun) -> Output:
    """Write data/split/texts.parquet, and reports/split.json: sizes, balance, leakage."""
    params, gates = stage.params.chosen_dataset.split, stage.params.gates
    doing("dealing texts to splits")
    splits = split_rows(
        read_table(Path("data/clean/texts.parquet"), COLUMNS),
        params.rule,
        stratify=params.stratify,
        test_size=params.test_size,
        validation_size=params.validation_size,
        seed=stage.params.seed,
    )
    splits = stage.write_table(splits, "data/split/texts.parquet")
    doing("looking for leaks")
    leaks = leakage(splits)
    summary = split_summary(splits)
    stage.write_json({"splits": summary, "leakage": leaks}, "reports/split.json")
    for name, row in summary.items():
        print(f"  {name:<10} {row['rows']:>7,} rows, {row['positives']:.1%} positive")
    if leaks["group"] or leaks["text"]:
        print(
            f"  LEAKS: {leaks['group']:.2%} of test rows have their group, and "
            f"{leaks['text']:.2%} their exact text, in training or validation"
        )
    grouped = params.rule == "grouped"
    return Output(
        split_checks(splits, params.test_size, params.validation_size),
        {
            "max_splits": 1 if grouped else 3,
            "splits": [name for name in SPLITS if name != "validation" or params.validation_size],
            "min_size_difference": -gates.max_size_difference,
            "max_size_difference": gates.max_size_difference,
            "min_balance_difference": -gates.max_balance_difference,
            "max_balance_difference": gates.max_balance_difference,
        },
    )


if __name__ == "__main__":
    run("split", split)
