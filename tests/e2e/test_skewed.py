"""A table in which one class is rare: the gates name the parameter, and the report says it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import run_in
from support.params import tiny_values, write_values
from support.project import SMALL_TABLE, commit_all, copy_project
from support.trained import DVC, read_json

RARE = ["awful refund", "broken refund", "useless refund"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with 96 positive texts to 4 negative ones."""
    folder = copy_project(tmp_path_factory.mktemp("skewed") / "project")
    table = pd.read_csv(folder / SMALL_TABLE)
    rng = np.random.default_rng(0)
    rare = rng.permutation(len(table)) < 0.04 * len(table)
    words = np.where(rng.random(len(table)) < 0.7, rng.choice(RARE, len(table)), "")
    table["sentiment"] = np.where(rare, "negative", "positive")
    table.loc[rare, "text"] += " " + words[rare]
    table.to_csv(folder / SMALL_TABLE, index=False)
    values = tiny_values()
    values["models"]["tiny"]["training"]["threshold_metric"] = "macro_f1"
    values["models"]["tiny"]["training"]["class_weights"] = "effective_number"
    write_values(values, folder)
    commit_all(folder)
    return folder


def test_a_rare_class_trains_once_its_share_is_allowed(project: Path) -> None:
    refused = run_in(project, *DVC, "repro", "clean", timeout=600)
    assert refused.returncode != 0
    assert "gates.min_class_share" in refused.stdout + refused.stderr

    path = project / "params.yaml"
    text = path.read_text("utf-8")
    assert "min_class_share: 0.1\n" in text
    path.write_text(text.replace("min_class_share: 0.1\n", "min_class_share: 0.03\n"), "utf-8")
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
    assert "balanced accuracy" in page.lower()

    predictions = pd.read_parquet(project / "reports/predictions.parquet")
    decided = predictions["probability_1"] >= model["threshold"]
    assert (predictions["predicted"] == decided).all()


def test_a_useless_model_fails_its_gate_with_the_parameter(project: Path) -> None:
    path = project / "params.yaml"
    before = path.read_text("utf-8")
    text = before.replace("min_class_share: 0.1\n", "min_class_share: 0.03\n")
    head, found, tail = text.rpartition("min_validation_mcc: -1.0")
    assert found
    path.write_text(f"{head}min_validation_mcc: 0.99{tail}", "utf-8")
    try:
        done = run_in(project, *DVC, "repro", "train", timeout=600)
    finally:
        path.write_text(before, "utf-8")
    assert done.returncode != 0
    assert "min_validation_mcc" in done.stdout + done.stderr
