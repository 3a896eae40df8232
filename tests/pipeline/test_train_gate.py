"""The train stage's gate refuses a model no better than chance, unless params.yaml allows it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support.params import set_value, tiny_values, write_values

from pipeline.stage import run
from sentigate import artifacts
from sentigate.artifacts import STAGES
from sentigate.evaluation.metrics import matthews_correlation
from sentigate.model.answers import predicted_labels, probabilities
from sentigate.model.network.batches import load_split
from sentigate.model.predictor import network_logits
from sentigate.model.saved_model import SavedModel


def run_stage(name: str) -> None:
    run(name, getattr(importlib.import_module(f"pipeline.{name}"), name))


def refused(**changes: object) -> str:
    """Return the message of the train stage with some values of params.yaml changed."""
    values = tiny_values()
    for key, value in changes.items():
        set_value(values, key.replace("__", "."), value)
    write_values(values, Path())
    with pytest.raises(SystemExit) as caught:
        run_stage("train")
    return str(caught.value.code)


def test_the_minimum_applies_to_the_written_weights(
    small_project: Callable[..., Path],
    mlflow_database: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_project()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(Path.cwd() / "mlflow.db"))
    for name in STAGES[: STAGES.index("evaluate")]:
        run_stage(name)
    validation = load_split(artifacts.PADDED / "validation")
    logits = network_logits(SavedModel.load(artifacts.TRAINED_MODEL).network, validation)
    answers = predicted_labels(probabilities(logits))
    found = round(matthews_correlation(validation.labels, answers), 6)
    verdict = json.loads((artifacts.GATES / "train.json").read_text("utf-8"))
    assert verdict["expectations"][-1]["observed"] == found

    key = "models__tiny__min_validation_mcc"
    message = refused(**{key: 1.0})
    assert "models.X.min_validation_mcc" in message
    assert f"found {found}; allowed: min_value 1.0" in message


def test_the_gate_refuses_weights_that_were_never_finite(
    small_project: Callable[..., Path],
    mlflow_database: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_project()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(Path.cwd() / "mlflow.db"))
    for name in STAGES[: STAGES.index("train")]:
        run_stage(name)
    message = refused(models__tiny__training__learning_rate=1e30)
    assert message.startswith("sentigate train: gate failed, no output was written")
    assert "_loss is never missing" in message
    assert not artifacts.TRAINED_MODEL.exists()
