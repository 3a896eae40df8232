"""A table in which one class is rare: the gates name the parameter, and the report says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import run_in
from support.params import set_value, tiny_values, write_values
from support.project import SMALL_TABLE, commit_all, copy_project
from support.trained import DVC, read_json

RARE = ["awful refund", "broken refund", "useless refund"]


def write_params(project: Path, **changes: object) -> None:
    """Write params.yaml; the changes are dotted keys with ``__`` for each dot."""
    values = tiny_values()
    set_value(values, "gates.min_class_share", 0.1)
    set_value(values, "models.tiny.training.threshold_metric", "macro_f1")
    set_value(values, "models.tiny.training.class_weights", "effective_number")
    for key, value in changes.items():
        set_value(values, key.replace("__", "."), value)
    write_values(values, project)


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Path:
    """Return a project with 96 positive texts to 4 negative ones."""
    folder = copy_project(tmp_path_factory.mktemp("skewed") / "project")
    table = pd.read_csv(folder / SMALL_TABLE)
    rng = np.random.default_rng(0)
    rare = rng.permutation(len(table)) < 0.04 * len(table)
    words = np.where(rng.random(len(table)) < 0.7, rng.choice(RARE, len(table)), "")
    table["sentiment"] = np.where(rare, "negative", "positive")
    table.loc[rare, "text"] += " " + words[rare]
    table.to_csv(folder / SMALL_TABLE, index=False)
    write_params(folder)
    commit_all(folder)
    mlflow_database(folder / "mlflow.db")
    return folder


def test_a_rare_class_is_refused_with_the_parameter(project: Path) -> None:
    write_params(project)
    done = run_in(project, *DVC, "repro", "clean", timeout=600)
    assert done.returncode != 0
    assert "gates.min_class_share" in done.stdout + done.stderr


def test_a_rare_class_trains_once_its_share_is_allowed(project: Path) -> None:
    write_params(project, gates__min_class_share=0.03)
    done = run_in(project, *DVC, "repro", timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the answer is positive from a probability of" in done.stdout
    assert "may be chance" in done.stdout

    model = read_json(project / "models/model.json")
    assert 0 < model["threshold"] < 1
    assert model["threshold_metric"] == "macro_f1"
    metrics = read_json(project / "reports/metrics.json")
    assert metrics["majority"]["accuracy"] == pytest.approx(0.96, abs=0.02)
    page = (project / "reports/report.html").read_text("utf-8")
    assert "to every text already has an accuracy of" in page

    predictions = pd.read_parquet(project / "reports/predictions.parquet")
    decided = predictions["probability_1"] >= model["threshold"]
    assert (predictions["predicted"] == decided).all()


def test_a_useless_model_fails_its_gate_with_the_parameter(project: Path) -> None:
    write_params(project, gates__min_class_share=0.03, models__tiny__min_validation_mcc=0.999)
    done = run_in(project, *DVC, "repro", "train", timeout=600)
    assert done.returncode != 0
    assert "min_validation_mcc" in done.stdout + done.stderr
