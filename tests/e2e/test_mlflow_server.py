"""The whole pipeline with a real MLflow server, which is stopped and started again.

The tests run in order, in one copy of the project.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Run
from support.commands import environment_of, warm
from support.params import tiny_values, write_values
from support.project import commit_all, copy_project

from sentigate import artifacts

DVC = (sys.executable, "-m", "dvc")
SENTIGATE = (sys.executable, "-m", "sentigate.cli.main")


class Server:
    """`mlflow server` with its own store, which stays when the server is killed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store, artifacts = f"sqlite:///{self.folder}/server.db", self.folder / "artifacts"
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--backend-store-uri", store, "--artifacts-destination", str(artifacts)]
        self.process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(240):
            try:
                if requests.get(f"{self.uri}/health", timeout=2).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.25)
        raise AssertionError("the server did not answer within a minute")

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    mlflow_database(server.folder / "server.db")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("copy") / "project")
    write_values(tiny_values(), project)
    commit_all(project)
    return project


def environment(project: Path, server: Server) -> dict[str, str]:
    uri = {"MLFLOW_TRACKING_URI": server.uri, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    return environment_of(project) | uri


def start(environment: dict[str, str], project: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project: Path, server: Server, *command: str) -> tuple[int, str, str]:
    process = start(warm(environment(project, server)), project, *command)
    out, err = process.communicate(timeout=300)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def runs(server: Server) -> list[Run]:
    """Return the runs, newest first."""
    client = MlflowClient(server.uri)
    experiment = client.get_experiment_by_name("sentigate")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id]))


def epochs_of(server: Server, run: Run) -> list[tuple[int, float]]:
    history = MlflowClient(server.uri).get_metric_history(run.info.run_id, "validation.log_loss")
    return [(point.step, point.value) for point in history]


def train_until_epoch_3(project: Path, server: Server, epochs: int) -> Any:
    values = tiny_values()
    training = {"max_epochs": epochs, "patience": epochs, "learning_rate": 0.0001}
    values["models"]["tiny"]["training"] |= training
    write_values(values, project)
    command = (sys.executable, "-u", "-m", "pipeline.train")
    process = start(warm(environment(project, server)), project, *command)
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if line.startswith("  epoch 3,"):
            return process, printed
    raise AssertionError("".join(printed))


def test_the_first_training_is_registered(project: Path, server: Server) -> None:
    code, out, err = run(project, server, *SENTIGATE, "train")
    assert code == 0, out[-1000:] + err[-3000:]
    assert "sentigate-small version 1: champion (the first version)" in " ".join(out.split())
    (found,) = runs(server)
    assert found.info.status == "FINISHED"
    assert found.info.run_id in out
    metrics = json.loads((project / artifacts.METRICS_REPORT).read_text("utf-8"))
    assert found.data.metrics["test.accuracy"] == metrics["test"]["accuracy"]
    names = {item.path for item in MlflowClient(server.uri).list_artifacts(found.info.run_id)}
    assert names == {"reports"}
    assert not (project / "mlflow.db").exists()
    assert not (project / "mlartifacts").exists()


def test_the_registered_model_answers(project: Path, server: Server) -> None:
    code, out, err = run(project, server, *SENTIGATE, "predict", "A fine film.")
    assert code == 0, err
    assert out.split("\t")[0] in ("positive", "negative")
    code, out, err = run(
        project, server, *SENTIGATE, "train"
    )  # the version is whole, so nothing runs
    assert code == 0, err
    assert "Running stage" not in out


def test_a_server_that_is_stopped_does_not_stop_the_training(project: Path, server: Server) -> None:
    process, printed = train_until_epoch_3(project, server, epochs=12)
    server.kill()
    out, err = process.communicate(timeout=300)
    out = "".join(printed) + out
    assert process.returncode == 0, out + err
    assert out.count("training goes on") == 2  # when the server stops, and at the end
    assert ".tracking/" in out
    assert "epoch 11," in out
    assert len(list((project / ".tracking").iterdir())) == 1
    epochs = pd.read_csv(project / artifacts.EPOCHS.path)
    assert len(epochs) == 12

    # Commands that need the server report that it does not answer; no entry is lost.
    code, out, err = run(project, server, *DVC, "repro")
    assert code != 0
    assert "sentigate register: MLflow at " in err
    assert len(list((project / ".tracking").iterdir())) >= 1

    server.start()
    code, out, err = run(project, server, *DVC, "repro")
    assert code == 0, out + err
    assert "is now complete" in out
    assert not list((project / ".tracking").iterdir())
    newest, *older = runs(server)
    epochs = pd.read_csv(project / artifacts.EPOCHS.path)
    points = epochs_of(server, newest)
    kept = float(epochs.loc[epochs["kept"] == 1, "validation_loss"].iloc[0])
    metrics = json.loads((project / artifacts.METRICS_REPORT).read_text("utf-8"))
    # The last two are the kept epoch again, and its loss with the temperature.
    losses = [*epochs["validation_loss"], kept, metrics["validation"]["log_loss"]]
    assert [value for _, value in points] == pytest.approx(losses, abs=1e-5)
    assert [step for step, _ in points] == [*range(13), 12]
    assert {run.info.status for run in (newest, *older)} == {"FINISHED"}
    assert newest.data.metrics["test.accuracy"] > 0


def test_the_run_of_a_killed_training_is_closed_as_killed(project: Path, server: Server) -> None:
    process, _ = train_until_epoch_3(project, server, epochs=500)
    process.kill()
    process.communicate()
    killed = runs(server)[0]
    assert killed.info.status == "RUNNING"
    write_values(tiny_values(), project)
    code, out, err = run(project, server, sys.executable, "-m", "pipeline.train")
    assert code == 0, err
    assert f"run {killed.info.run_id} (csv-tiny) was killed, and is closed as KILLED" in out
    after = {run.info.run_id: run.info for run in runs(server)}
    assert after[killed.info.run_id].status == "KILLED"
    assert after[killed.info.run_id].end_time >= killed.info.start_time
    assert {info.status for info in after.values()} == {"FINISHED", "KILLED"}
    assert [step for step, _ in epochs_of(server, killed)][:4] == [0, 1, 2, 3]
