"""split: assign the texts to train, validation and test, and measure leakage."""

from __future__ import annotations

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.near_copies import near_copies, near_copy_clusters, near_copy_figures
from sentigate.data.splitting import leakage, split_checks, split_rows, split_summary
from sentigate.data.stage_files import SPLITS, read_json, read_table
from sentigate.progress import doing


def split(stage: StageRun) -> GateInput:
    """Write the texts with their splits, and a report: sizes, balance and leakage."""
    dataset, gates = stage.params.chosen_dataset, stage.params.gates
    params, classes = dataset.split, dataset.classes.names
    texts = read_table(artifacts.CLEAN_TEXTS)
    clusters = None
    if params.near_duplicates == "keep_together":
        with doing("looking for near-copies to keep together"):
            clusters = near_copy_clusters(texts["text"])
    cleaned = {}
    if params.rule == "published":
        with read_json(artifacts.CLEAN_REPORT) as report:
            cleaned = report["folds"]
    with doing("assigning texts to splits"):
        splits = split_rows(
            texts,
            classes,
            params,
            stage.params.seed,
            near_copies=clusters,
            cleaned=cleaned,
        )
    splits = stage.write_table(splits, artifacts.SPLIT_TEXTS)
    in_test = splits["split"] == "test"
    with doing("looking for leaks"):
        summary, leaks = split_summary(splits, classes), leakage(splits)
        copies = near_copies(splits)
        near = near_copy_figures(splits, copies)
    report = {"splits": summary, "leakage": leaks, "near_copies": near}
    stage.write_json(report, artifacts.SPLIT_REPORT)
    for name, row in summary.items():
        shares = ", ".join(f"{share:.1%} {each}" for each, share in row["classes"].items())
        dates = f", {row['oldest']} to {row['newest']}" if "oldest" in row else ""
        print(f"  {name:<10} {row['rows']:>7,} rows: {shares}{dates}")
    if params.rule == "published" and (splits["fold"].eq("validation") & in_test).any():
        print("  the data has no fold test: its published validation fold is the test split")
    if leaks["group"] or leaks["text"]:
        print(
            f"  LEAKS: {leaks['group']:.2%} of test rows have their group, and "
            f"{leaks['text']:.2%} their exact text, in training or validation"
        )
    if copies.any():
        print(
            f"  NEAR-COPIES: {near['rows']:,} test rows ({near['share']:.2%}) and "
            f"{near['validation_rows']:,} validation rows have one in training, of another group"
        )
    return GateInput(
        split_checks(splits, params, clusters).assign(near_copy=copies.astype("int64")),
        {
            "max_splits": 1 if params.rule in ("grouped", "by_time") else 3,
            "min_share_without_near_copy": 0.0 if clusters is None else 1.0,
            "splits": [n for n in SPLITS if n != "validation" or params.validation_size != 0],
            "min_size_difference": -gates.max_size_difference,
            "max_size_difference": gates.max_size_difference,
            # Classes may become more or less frequent with time.
            "max_balance_difference": (
                1.0 if params.rule == "by_time" else gates.max_balance_difference
            ),
        },
    )


if __name__ == "__main__":
    run("split", split)
