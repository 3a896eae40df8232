"""evaluate: judge the network on the test split, beside the linear baseline."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from pipeline.stage import Output, StageRun, run
from sentigate.batching import load_split
from sentigate.evaluation import compare, hits, perplexities
from sentigate.metrics import confident_errors, slice_figures
from sentigate.plots import PLOTS, write_plots
from sentigate.predictor import load_network, predict
from sentigate.report import render_report
from sentigate.tracking import find_run

GATES = ("ingest", "clean", "split", "vocab", "pad", "baseline", "train")


def evaluate(stage: StageRun) -> Output:
    """Write reports/: metrics.json, predictions.parquet, slices.csv, plots/, report.html."""
    params, settings = stage.params, stage.params.evaluate
    network = load_network(Path("models"))
    padded = {s: load_split(Path("data/padded", s)) for s in ("train", "validation", "test")}
    splits = pd.read_parquet("data/split/texts.parquet")
    held_out = splits.loc[splits["split"] != "train"].copy()
    for name in ("validation", "test"):
        probability = predict(network, padded[name])
        held_out.loc[held_out["split"] == name, "probability"] = probability
    baseline = pd.read_parquet("reports/baseline_predictions.parquet")
    by_id = baseline.set_index("id")["probability"]
    held_out["baseline_probability"] = held_out["id"].map(by_id)
    test = held_out.loc[held_out["split"] == "test"]
    metrics = compare(
        held_out,
        samples=settings.bootstrap_samples,
        bins=settings.calibration_bins,
        seed=params.seed,
    )
    if language_model := perplexities(Path("models"), padded):
        metrics["language_model"] = language_model
    slices = slice_figures(test)
    columns = ["id", "split", "slice", "label", "probability", "baseline_probability"]
    stage.write_table(held_out[columns], "reports/predictions.parquet")
    stage.write_json(metrics, "reports/metrics.json")
    slices.to_csv(stage.path("reports/slices.csv"), index=False, lineterminator="\n")
    plots = stage.path("reports/plots")
    write_plots(
        plots,
        labels=test["label"].to_numpy(),
        probabilities=test["probability"].to_numpy(),
        baseline_probabilities=test["baseline_probability"].to_numpy(),
        training=pd.read_csv("reports/training.csv"),
        slices=slices,
        bins=settings.calibration_bins,
    )
    split = json.loads(Path("reports/split.json").read_text("utf-8"))
    page = render_report(
        dataset=params.dataset,
        model=params.model,
        figures=metrics,
        splits=pd.DataFrame(split["splits"]).T.rename_axis("split").reset_index(),
        leakage=split["leakage"],
        slices=slices,
        errors=confident_errors(test, settings.listed_errors),
        gates=[json.loads(Path(f"reports/gates/{g}.json").read_text("utf-8")) for g in GATES],
        images={title: plots / f"{name}.png" for title, name in PLOTS.items()},
    )
    stage.path("reports/report.html").write_text(page, encoding="utf-8")

    def log(passed: bool) -> None:
        tracked = find_run(Path("models/weights.safetensors"), f"{params.dataset}-{params.model}")
        tracked.log_metrics(metrics)
        tracked.log_files(stage.out / "reports", "reports")

    return Output(
        hits(test),
        {"min_test_accuracy": params.chosen_dataset.gates.min_test_accuracy},
        after_gate=log,
    )


if __name__ == "__main__":
    run("evaluate", evaluate)
