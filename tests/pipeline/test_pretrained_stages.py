"""The stages with pretraining: the outputs of train and evaluate, and a generated text."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.params import tiny_values, write_values
from typer.testing import CliRunner

from pipeline.stage import run
from sentigate import artifacts
from sentigate.artifacts import STAGES
from sentigate.cli import main as cli
from sentigate.model.network.network import Network
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import find_run
from sentigate.training import start as starting

FIT = {
    "batch_size": 8,
    "max_epochs": 2,
    "patience": 2,
    "monitor": "validation_loss",
    "learning_rate": 0.02,
    "weight_decay": 0.0,
    "gradient_clip": 1.0,
    "average_decay": None,
}


def test_a_language_model_is_fitted_judged_and_continues_a_text(
    small_project: Callable[..., Path],
    mlflow_database: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_project(
        models__tiny__network__bidirectional=False,
        models__tiny__training__pretraining=FIT,
        models__tiny__training__max_epochs=1,
    )
    # Absolute, because MLflow keeps one connection for each URI, even in another folder.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(Path.cwd() / "mlflow.db"))
    started: list[dict[str, torch.Tensor]] = []
    start_from = starting.start_from

    def watch(network: Network, weights: dict[str, torch.Tensor]) -> Network:
        network = start_from(network, weights)
        started.append({name: w.clone() for name, w in network.state_dict().items()})
        return network

    monkeypatch.setattr(starting, "start_from", watch)
    for name in STAGES[:-1]:
        run(name, getattr(importlib.import_module(f"pipeline.{name}"), name))

    learnt = load_file(artifacts.TRAINED_MODEL / "language_model.safetensors")
    (first,) = started  # the weights with which the classifier's training began
    for name in (name for name in learnt if name.startswith("encoder.")):
        assert torch.equal(first[name], learnt[name])

    figures = json.loads(artifacts.METRICS_REPORT.read_text("utf-8"))["language_model"]
    assert set(figures) == {"perplexity", "unigram_perplexity", "bigram_perplexity", "tokens"}
    vocabulary_size = json.loads((artifacts.TRAINED_MODEL / "model.json").read_text("utf-8"))[
        "vocabulary_size"
    ]
    assert 1 < figures["perplexity"] < vocabulary_size
    assert figures["bigram_perplexity"] < figures["unigram_perplexity"] < vocabulary_size
    page = artifacts.REPORT.read_text("utf-8")
    assert f"{figures['perplexity']:.3f}" in page

    tracked = find_run(artifacts.TRAINED_WEIGHTS, "csv-tiny")
    client = connect()
    logged = client.get_run(tracked.id).data.metrics
    assert logged["language_model.perplexity"] == pytest.approx(figures["perplexity"])
    history = client.get_metric_history(tracked.id, "language_model.validation.log_loss")
    assert [point.step for point in history] == [0, 1, 2]  # the kept epoch is logged again
    assert all(0 < point.value < math.log(vocabulary_size) for point in history)
    assert logged["language_model.validation.log_loss"] == min(point.value for point in history)
    steps = [p.step for p in client.get_metric_history(tracked.id, "validation.log_loss")]
    assert steps[:2] == [0, 1]

    capsys.readouterr()
    texts = [
        CliRunner().invoke(cli.app, ["generate", "--prompt", "The FILM", *more])
        for more in ([], ["--seed", "42"], ["--seed", "7"], ["--length", "1", "--temperature", "0"])
    ]
    assert [done.exit_code for done in texts] == [0, 0, 0, 0]
    assert all(done.stdout.startswith("the film") for done in texts)
    assert texts[0].stdout == texts[1].stdout != texts[2].stdout
    assert len(texts[3].stdout.split()) == 3

    # After a training without pretraining, the language model's old file may still exist.
    values = tiny_values()
    values["models"]["tiny"]["training"]["max_epochs"] = 1
    write_values(values, Path())
    for name in ("train", "evaluate"):
        run(name, getattr(importlib.import_module(f"pipeline.{name}"), name))
    without = json.loads(artifacts.METRICS_REPORT.read_text("utf-8"))
    parts = [
        "test", "network", "baseline", "validation", "classes", "majority", "difference",
        "network_difference", "fusion", "calibration", "behaviour",
    ]  # fmt: skip
    assert list(without) == parts
    assert "Language model" not in artifacts.REPORT.read_text("utf-8")
    monkeypatch.setattr("sys.argv", ["sentigate", "generate", "--prompt", "the film"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert str(ended.value.code) == (
        "sentigate: the model in models/ has no language model; "
        "`make train MODEL=pretrained_lstm` makes one"
    )
