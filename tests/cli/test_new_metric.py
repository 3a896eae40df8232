"""A new entry in the table of metrics appears in every output, without another change."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console
from rich.style import Style
from support.answers import EVALUATE, answers, answers_frame
from support.project import ROOT

from sentigate import artifacts
from sentigate.cli.train import WARNING, figures_table
from sentigate.evaluation.behaviour import behaviour_figures, judge_cases
from sentigate.evaluation.behaviour_cases import CASES, read_suite
from sentigate.evaluation.comparison import compare
from sentigate.evaluation.difference import accuracy_difference, difference_sentence
from sentigate.evaluation.failures import failure_groups
from sentigate.evaluation.metrics import METRICS, Metric, MetricInput, classification_figures, flat
from sentigate.evaluation.mistakes import confident_errors
from sentigate.evaluation.slices import slice_figures
from sentigate.leaderboard.table import leaderboard_markdown, leaderboard_table
from sentigate.model.answers import named_columns, predicted_labels
from sentigate.model.labels import BINARY
from sentigate.reporting.pull_request_comment import render_comment
from sentigate.reporting.report import render_report
from sentigate.settings.params import load_params
from sentigate.tracking.connection import connect
from sentigate.tracking.open_run import start_run


def brier_score(answers: MetricInput) -> float:
    return float(np.mean((answers.probabilities[:, 1] - answers.labels) ** 2))


BRIER = Metric(
    "brier",
    title="Brier score",
    unit="number",
    better="lower",
    meaning="Mean squared distance of probabilities from labels.",
    compute=brier_score,
    interval=lambda answers: (brier_score(answers) - 0.01, brier_score(answers) + 0.01),
    headline_on=("validation", "test"),
)
SHARES = {"negative": 0.4, "positive": 0.6}


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the content of metrics.json with one more entry in the table of metrics."""
    for name, module in list(sys.modules.items()):
        if name.startswith("sentigate.") and hasattr(module, "METRICS"):
            assert module.METRICS is METRICS
            monkeypatch.setattr(module, "METRICS", (*METRICS, BRIER))
    labels, probabilities = answers()
    frame = answers_frame(labels, probabilities, "films")
    for prefix, limit in (("network", 0.1), ("baseline", 0.2)):
        values = probabilities.clip(limit, 1 - limit)
        frame = frame.assign(**named_columns(f"{prefix}_probability", values))
        frame[f"{prefix}_predicted"] = frame["predicted"]
    frame["split"] = np.where(np.arange(len(frame)) < 300, "test", "validation")
    return compare(frame, BINARY, EVALUATE, seed=1)


def test_a_new_metric_is_last_in_metrics_json(figures: dict[str, Any]) -> None:
    labels, probabilities = answers()
    expected = ((probabilities[:, 1].astype(float) - labels) ** 2)[:300].mean()
    assert figures["test"]["brier"] == round(expected, 6)
    for part in ("test", "network", "baseline", "validation"):
        assert list(figures[part])[-3:] == ["brier", "brier_low", "brier_high"]


def test_a_new_metric_is_in_the_report(figures: dict[str, Any]) -> None:
    labels, probabilities = answers()
    rows = answers_frame(labels, probabilities, "films")
    halves = np.array([0.5, 0.5])
    behaviour = judge_cases(
        read_suite(CASES), lambda texts: np.tile(halves, (len(texts), 1)), BINARY
    )
    page = render_report(
        dataset="made",
        model="lstm",
        baseline="a linear model",
        classes=BINARY,
        figures=figures
        | {"fusion": {"share": 0.25, "temperature": 1.0}}
        | {"calibration": {"temperature": 1.0, "error_before": 0.1, "error_after": 0.1}}
        | {"behaviour": behaviour_figures(behaviour, probabilities, halves, BINARY)},
        splits={"test": {"rows": 300, "classes": SHARES}},
        leakage={"group": 0.0, "text": 0.0, "near_copy": 0.0},
        reading={"max_length": 64, "last": 0, "splits": {"test": {"cut_texts": 0}}},
        slices=slice_figures(rows, BINARY),
        failures=failure_groups(rows.assign(baseline_predicted=1, length=5, unknown_share=0.0)),
        behaviour=behaviour,
        errors=confident_errors(rows, 1),
        gates=[],
        images={},
    )
    words = " ".join(re.sub("<[^>]*>", " ", page).split())
    meaning = "Mean squared distance of probabilities from labels. Lower is better."
    values = (figures[part] for part in ("test", "network", "baseline", "validation"))
    cells = " ".join(
        f"{v['brier']:.3f} {v['brier_low']:.3f} to {v['brier_high']:.3f}" for v in values
    )
    assert f"Brier score {meaning} With its 95 % interval. {cells}" in words


def test_a_new_metric_is_in_the_comment(
    figures: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    Path("reports").mkdir()
    Path("params.yaml").write_text("{dataset: made, model: lstm}")
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {}}))
    artifacts.METRICS_REPORT.write_text(json.dumps(figures))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True)
    better = figures["test"] | {"brier": 0.1, "brier_low": 0.05, "brier_high": 0.15}
    artifacts.METRICS_REPORT.write_text(json.dumps(figures | {"test": better}))
    old = figures["test"]["brier"]
    comment = render_comment("HEAD")
    assert f"| Brier score | {old:.3f} | 0.100 | −{old - 0.1:.3f}, better |" in comment
    interval = f"{old - 0.01:.3f} – {old + 0.01:.3f}"
    assert f"| 95 % interval of Brier score | {interval} | 0.050 – 0.150 | |" in comment


def test_a_new_metric_is_in_the_leaderboard(figures: dict[str, Any]) -> None:
    entry = {"model": "lstm", **flat(figures)}
    baseline = {"validation": figures["validation"], "test": figures["baseline"]}
    splits = {name: {"classes": SHARES} for name in ("validation", "test")}
    table = leaderboard_table([entry], baseline, splits, BINARY).set_index("model")
    assert table.loc["lstm", "validation_brier"] == figures["validation"]["brier"]
    assert table.loc["linear baseline", "test_brier"] == figures["baseline"]["brier"]
    assert table.loc["lstm", "test_brier_high"] == figures["test"]["brier_high"]
    page = leaderboard_markdown(table.reset_index(), "made", "a", {})
    assert "| test Brier score | Brier score interval (95 %) |" in page
    assert f"| {figures['test']['brier']:.4f} | {figures['test']['brier_low']:.4f} – " in page


def printed(figures: dict[str, Any], width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    fusion = {"fusion": {"share": 0.25, "temperature": 1.0}}
    console.print(figures_table(load_params(ROOT / "params.yaml"), fusion | figures))
    return console.export_text()


def test_a_new_metric_is_printed_at_the_end_of_train(figures: dict[str, Any]) -> None:
    text = printed(figures, width=200)
    assert "Brier score" in text
    for part in ("test", "network", "baseline"):
        assert f" {figures[part]['brier']:.4f} " in text


def test_the_table_at_the_end_of_train_fits_a_terminal() -> None:
    labels, probabilities = answers()
    one = classification_figures(labels, probabilities, BINARY, EVALUATE, seed=1)
    predicted = predicted_labels(probabilities)
    same = accuracy_difference(labels, predicted, predicted, samples=9, seed=1)
    parts = dict.fromkeys(("test", "network", "baseline"), one)
    differences = dict.fromkeys(("difference", "network_difference"), same)
    metrics = {**parts, "majority": {"accuracy": 0.6}, **differences}
    text = printed(metrics, width=80)
    assert "its network alone" in text
    assert "linear baseline" in text
    assert "majority class" in text
    table, differences = text.splitlines()[:9], text.splitlines()[9:]
    assert table[-1].startswith("└")  # a title, 3 lines of frame, the heads, 4 rows
    words = " ".join(line.strip() for line in differences)
    sentences = (
        difference_sentence(same, one["rows"], whose)
        for whose in ("the model", "the network alone")
    )
    assert words == " ".join(sentences)


def test_a_model_worse_than_the_baseline_is_printed_in_the_warning_colour(
    figures: dict[str, Any],
) -> None:
    worse = figures["difference"] | {"accuracy": -0.145, "p_value": 0.0004}
    console = Console(width=200, file=io.StringIO(), record=True, force_terminal=True)
    fusion = {"fusion": {"share": 0.25, "temperature": 1.0}}
    table = figures_table(
        load_params(ROOT / "params.yaml"), fusion | figures | {"difference": worse}
    )
    console.print(table)
    coloured = [
        segment.text
        for segment in console._record_buffer
        if segment.style and segment.style.color == Style.parse(WARNING).color
    ]
    assert "14.5 points below the linear baseline's" in "".join(coloured)
    assert "the network alone" not in "".join(coloured)


def test_a_model_without_a_linear_part_has_one_row(figures: dict[str, Any]) -> None:
    text = printed(figures | {"fusion": {"share": 0.0, "temperature": 1.0}}, width=200)
    assert "network alone" not in text


def test_a_new_metric_is_in_mlflow(
    figures: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mlflow_database: Callable[[Path], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(tmp_path / "runs.db"))
    opened = start_run("made for a test")
    opened.log_metrics(figures)
    opened.end()
    logged = connect().get_run(opened.id).data.metrics
    for part in ("test", "baseline", "validation"):
        for key in ("brier", "brier_low", "brier_high"):
            assert logged[f"{part}.{key}"] == figures[part][key]
    assert logged["test.accuracy"] == figures["test"]["accuracy"]
