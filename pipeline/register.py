"""register: make a version in the MLflow registry, once it is seen to work on raw text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from pipeline.stage import Output, StageRun, run
from sentigate.files import sha256_of
from sentigate.registry import git_commit, load_model, log_model, model_name, register
from sentigate.tracking import find_run

CHECKED_ROWS = 200


def register_model(stage: StageRun) -> Output:
    """Write reports/registration.json: the version, its alias, and why it has it or not."""
    params = stage.params
    metrics = json.loads(Path("reports/metrics.json").read_text("utf-8"))
    weights = Path("models/weights.safetensors")
    tracked = find_run(weights, f"{params.dataset}-{params.model}")

    files = stage.path("bundle/files/cleaning.json").parent
    steps = params.chosen_dataset.clean.steps.model_dump(mode="json")
    stage.write_json(steps, "bundle/files/cleaning.json")
    for source in (weights, Path("models/model.json"), Path("data/vocab/tokenizer.json")):
        shutil.copyfile(source, files / source.name)
    uri = log_model(tracked, files, stage.path("bundle/code/x").parent)

    predictions = pd.read_parquet("reports/predictions.parquet")
    raw = pd.read_parquet("data/raw/texts.parquet", columns=["id", "text"])
    checked = predictions.loc[predictions["split"] == "test"].head(CHECKED_ROWS)
    checked = checked.merge(raw, on="id", validate="one_to_one")
    served = load_model(uri)(checked["text"].tolist())
    difference = (served["probability"] - checked["probability"]).abs()
    shutil.rmtree(stage.out / "bundle")

    def publish(passed: bool) -> None:
        tracked.log_files(Path("reports/gates"), "reports/gates")
        tracked.log_files(stage.out / "reports", "reports")
        for name, table in (("raw", "data/raw"), ("split", "data/split")):
            tracked.log_table(f"{params.dataset}-{name}", Path(table, "texts.parquet"), name)
        if not passed:
            return
        tags = {
            "dataset": params.dataset,
            "model": params.model,
            "split": params.chosen_dataset.split.rule,
            "seed": str(params.seed),
            "git_commit": git_commit(),
            "raw_sha256": sha256_of(Path("data/raw/texts.parquet")),
            "split_sha256": sha256_of(Path("data/split/texts.parquet")),
            "weights_sha256": sha256_of(weights),
            "test.accuracy": str(metrics["test"]["accuracy"]),
            "baseline.accuracy": str(metrics["baseline"]["accuracy"]),
            "validation.log_loss": str(metrics["validation"]["log_loss"]),
        }
        tracked.tag(tags)
        registration = register(
            tracked, uri, model_name(params.dataset), params.register_.alias, tags
        )
        stage.write_json(registration, "reports/registration.json")

    return Output(
        checked.assign(served_label=served["label"], difference=difference),
        {"max_served_difference": params.gates.max_served_difference},
        after_gate=publish,
    )


if __name__ == "__main__":
    run("register", register_model)
