"""A model worse than the linear baseline is registered and served, with a warning everywhere."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.stage import run
from sentigate import artifacts
from sentigate.artifacts import STAGES
from sentigate.cli.train import _print_summary, _registered
from sentigate.settings.params import load_params
from sentigate.tracking.ended_run import find_run


def table(rows: int) -> pd.DataFrame:
    """Return texts that a linear model separates easily."""
    rng = np.random.default_rng(0)
    words = rng.integers(0, 300, (rows, 6))
    labels = np.arange(rows) % 2
    texts = [
        " ".join(["lovely" if label else "awful", *(f"w{word}" for word in line)])
        for label, line in zip(labels, words, strict=True)
    ]
    names = np.where(labels, "positive", "negative")
    return pd.DataFrame(
        {"id": range(rows), "text": texts, "sentiment": names, "source": "a", "document": texts}
    )


def run_stages(*names: str) -> dict[str, Any]:
    for name in names:
        module = importlib.import_module(f"pipeline.{name}")
        run(name, getattr(module, "register_model" if name == "register" else name))
    registration: dict[str, Any] = json.loads(artifacts.REGISTRATION.read_text("utf-8"))
    return registration


def end_of_train(capsys: pytest.CaptureFixture[str]) -> str:
    params = load_params(Path("params.yaml"))
    version = _registered(params)
    assert version is not None
    capsys.readouterr()
    _print_summary(params, version)
    return capsys.readouterr().out


def test_a_worse_model_has_a_warning_everywhere_and_is_replaced(
    small_project: Callable[..., Path],
    mlflow_database: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values: dict[str, object] = {
        "models__tiny__training__fused": False,
        "models__tiny__training__learning_rate": 1e-9,  # it learns nothing
        "models__tiny__training__max_epochs": 1,
        "models__tiny__training__min_epoch_steps": 45,
        "datasets__csv__gates": {"min_rows": 100, "min_test_accuracy": 0.0},
    }
    folder = small_project(**values)
    table(700).to_csv(folder / "data/own/csv/small.csv", index=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(folder / "mlflow.db"))

    made = run_stages(*STAGES)
    rows = json.loads(artifacts.SPLIT_REPORT.read_text("utf-8"))["splits"]["train"]["rows"]
    steps = math.ceil(rows / 8)  # batches of 32 or 16 would be too few
    assert f"{steps} steps an epoch, 8 texts each: batch_size 32 would" in capsys.readouterr().out
    tracked = find_run(artifacts.TRAINED_WEIGHTS, "csv-tiny")
    logged = tracked.client.get_run(tracked.id).data.params
    assert (logged["steps.batch_size"], logged["steps.per_epoch"]) == ("8", str(steps))
    assert (made["version"], made["alias"]) == (1, "champion")  # otherwise no model could be served
    assert (made["worse_than_baseline"], made["network_worse_than_baseline"]) == (True, True)
    assert made["beside_baseline"].startswith("The model is worse than the linear baseline: ")
    assert "The network alone" not in made["beside_baseline"]  # the model has only its network
    report = artifacts.REPORT.read_text("utf-8")
    assert "The model is worse than the linear baseline." in report
    printed = end_of_train(capsys)
    assert f"WARNING {made['beside_baseline']}" in printed
    assert "WARNING The linear baseline alone is better" in printed
    assert "version 1: champion (the first version, though worse than the linear" in printed

    # Fused, only the linear model answers.
    values |= {"models__tiny__training__fused": True, "models__tiny__network__hidden_sizes": [8]}
    small_project(**values)
    table(700).to_csv(folder / "data/own/csv/small.csv", index=False)
    made = run_stages("train", "evaluate", "register")
    assert (made["version"], made["alias"]) == (2, "champion")
    assert made["reason"] == "version 1 is worse than the linear baseline, this version is not"
    assert (made["worse_than_baseline"], made["network_worse_than_baseline"]) == (False, True)
    report = artifacts.REPORT.read_text("utf-8")
    assert "The network alone is worse than the linear baseline." in report
    assert "The model is worse than" not in report
    printed = end_of_train(capsys)
    assert f"WARNING {made['beside_baseline']}" in printed
    assert "WARNING The network alone is worse than the linear baseline: accuracy 0." in printed
    assert "The linear baseline alone is better" not in printed
