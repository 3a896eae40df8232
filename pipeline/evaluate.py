"""evaluate: measure the model on the test split, beside the linear baseline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.stage_files import SPLITS, read_ids, read_json, read_table
from sentigate.data.training_files import (
    read_baseline_logits,
    read_epochs,
    read_model,
    read_split,
)
from sentigate.evaluation.behaviour import applies, behaviour_figures, judge_cases
from sentigate.evaluation.behaviour_cases import CASES, read_suite
from sentigate.evaluation.calibration import temperature_figures
from sentigate.evaluation.comparison import compare, perplexities
from sentigate.evaluation.failures import failure_groups
from sentigate.evaluation.mistakes import confident_errors, mark_correct
from sentigate.evaluation.slices import slice_figures
from sentigate.model.answers import (
    named_columns,
    predicted_labels,
    probabilities,
    table_columns,
)
from sentigate.model.labels import ThresholdMetric
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.predictor import Predictor, has_known_token, network_logits
from sentigate.model.saved_model import SavedModel
from sentigate.model.text.encoding import written_checks
from sentigate.progress import doing
from sentigate.reporting.report import render_report
from sentigate.reporting.write_plots import CHARTS, write_plots
from sentigate.tracking.training_run import log_evaluation
from sentigate.training.threshold import choose_threshold


def evaluate(stage: StageRun) -> GateInput:
    """Write figures, predictions, tables, plots and the report."""
    params, settings = stage.params, stage.params.evaluate
    classes = params.chosen_dataset.classes
    saved = read_model()
    padded = {name: read_split(name) for name in SPLITS}
    splits = read_table(artifacts.SPLIT_TEXTS, ["id", "slice", "label", "text", "split"])
    with doing("predicting validation and test"):
        judged = pd.concat([_judged(saved, padded[name], name) for name in ("validation", "test")])
    held_out = splits.loc[splits["split"] != "train"].reset_index(drop=True)
    held_out = held_out.join(judged, on="id")
    if metric := saved.description.threshold_metric:
        _choose_thresholds(held_out, metric)
    predictions = stage.write_table(
        held_out[["id", "split", "slice", "label", *judged.columns]], artifacts.PREDICTIONS
    )
    test = predictions.loc[predictions["split"] == "test"]
    labels, predicted = test["label"].to_numpy(), test["predicted"].to_numpy()
    chances = table_columns(test)
    with doing("measuring, with bootstrap intervals"):
        metrics = compare(predictions, classes, settings, params.seed)
    fusion = saved.description.fusion
    metrics["fusion"] = {"share": fusion.share, "temperature": fusion.temperature}
    metrics["calibration"] = temperature_figures(
        labels, chances, predicted, fusion.temperature, settings.calibration_bins
    )
    if language_model := perplexities(saved, padded):
        metrics["language_model"] = language_model
    behaviour = None
    if applies(classes):
        with doing("trying the behavioural tests"):
            suite, predictor = read_suite(CASES), Predictor(artifacts.TRAINED_MODEL)
            behaviour = judge_cases(suite, predictor, classes, predictor.threshold)
            counts = np.bincount(padded["train"].labels, minlength=classes.count)
            metrics["behaviour"] = behaviour_figures(
                behaviour, predictor(suite.unknown_words), counts / counts.sum(), classes
            )
    slices = slice_figures(test, classes)
    encoded = written_checks(artifacts.PADDED / "test")  # lengths and unknown tokens
    encoded = encoded.set_index(read_ids("test"))
    failures = failure_groups(held_out.loc[test.index].join(encoded, on="id"))
    epochs = read_epochs()
    stage.write_json(metrics, artifacts.METRICS_REPORT)
    for table, path in (
        (slices, artifacts.SLICES),
        (failures, artifacts.FAILURES),
        (pd.DataFrame() if behaviour is None else behaviour, artifacts.BEHAVIOUR),
    ):
        table.to_csv(stage.path(path), index=False, lineterminator="\n")
    plots = stage.path(artifacts.PLOTS)
    with doing("drawing the charts"):
        write_plots(
            plots,
            labels=labels,
            probabilities=chances,
            predicted=predicted,
            baseline_probabilities=table_columns(test, "baseline_probability"),
            classes=classes,
            training=epochs,
            slices=slices,
            bins=settings.calibration_bins,
        )
    with read_json(artifacts.BASELINE_REPORT) as report:
        linear = report["description"]
    with read_json(artifacts.SPLIT_REPORT) as report:
        sizes = report["splits"]
        leaks = {**report["leakage"], "near_copy": report["near_copies"]["share"]}
    with read_json(artifacts.PAD_REPORT) as report:
        unread = {key: report[key] for key in ("max_length", "last", "splits")}
    page = render_report(
        dataset=params.dataset,
        model=params.model,
        baseline=linear,
        classes=classes,
        figures=metrics,
        splits=sizes,
        leakage=leaks,
        reading=unread,
        slices=slices,
        failures=failures,
        behaviour=behaviour,
        errors=confident_errors(held_out.loc[test.index], settings.listed_errors),
        gates=artifacts.STAGES[: artifacts.STAGES.index("evaluate")],
        images={title: plots / f"{name}.png" for title, name in CHARTS.items()},
    )
    stage.path(artifacts.REPORT).write_text(page, encoding="utf-8")

    @doing("logging to MLflow")
    def log(passed: bool) -> None:
        log_evaluation(params, metrics, len(epochs), stage.out, passed)

    return GateInput(
        mark_correct(test).assign(
            probability_sum=chances.sum(axis=1),
            baseline_probability_sum=table_columns(test, "baseline_probability").sum(axis=1),
        ),
        {"min_test_accuracy": params.chosen_dataset.gates.min_test_accuracy},
        after_gate=log,
    )


def _judged(saved: SavedModel, split: EncodedSplit, name: str) -> pd.DataFrame:
    """Answer a split's rows with the model, with its network alone and with the baseline.

    Returns:
        Columns predicted, network_predicted and baseline_predicted (int8); then the probability of
        each class (float32), as ``named_columns`` names them; the index is the rows' id.
    """
    ids = read_ids(name)
    network = network_logits(saved.network, split)
    baseline = read_baseline_logits(ids)
    beside = baseline if saved.linear else None
    logits = saved.description.fusion(network, beside, has_known_token(split.ids))
    judged = {
        prefix: probabilities(values)
        for prefix, values in (("", logits), ("network_", network), ("baseline_", baseline))
    }
    thresholds = {"": saved.description.threshold}
    labels = {
        f"{prefix}predicted": predicted_labels(chances, thresholds.get(prefix)).astype("int8")
        for prefix, chances in judged.items()
    }
    for prefix, chances in judged.items():
        labels |= named_columns(f"{prefix}probability", chances)
    return pd.DataFrame(labels, index=pd.Index(ids))


def _choose_thresholds(held_out: pd.DataFrame, metric: ThresholdMetric) -> None:
    """Give the network alone and the baseline thresholds too, so that all are compared alike."""
    validation = held_out.loc[held_out["split"] == "validation"]
    for prefix in ("network_", "baseline_"):
        column = f"{prefix}probability"
        threshold = choose_threshold(
            validation["label"].to_numpy(), table_columns(validation, column), metric
        )
        labels = predicted_labels(table_columns(held_out, column), threshold)
        held_out[f"{prefix}predicted"] = labels.astype("int8")


if __name__ == "__main__":
    run("evaluate", evaluate)
