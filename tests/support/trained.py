"""A small project in which the whole pipeline ran, created once for all tests."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock

from sentigate.tracking.artifact_location import ARTIFACTS, keep_beside

from .commands import run_in
from .params import tiny_values, write_values
from .project import commit_all, copy_project

MODEL = "sentigate-small"
DVC = (sys.executable, "-m", "dvc")
SENTIGATE = (sys.executable, "-m", "sentigate.cli.main")
Done = subprocess.CompletedProcess[str]


def train_once(folder: Path, put_database: Callable[[Path], object]) -> tuple[Path, Done]:
    """Return a project in ``folder``, and the result of its `dvc repro`.

    The first process that calls this trains; the others wait, and return the same.
    """
    project, answer = folder / "trained", folder / "trained.json"
    with FileLock(folder / "trained.lock"):
        if not answer.exists():
            copy_project(project)
            write_values(tiny_values(), project)
            commit_all(project)
            put_database(project / "mlflow.db")
            done = run_in(project, *DVC, "repro", timeout=600)
            answer.write_text(json.dumps([done.returncode, done.stdout, done.stderr]))
    return project, subprocess.CompletedProcess(["dvc"], *json.loads(answer.read_text()))


def copy_trained(trained: Path, target: Path) -> Path:
    """Copy the project, with its MLflow database, models and DVC cache, for a test to change."""
    shutil.copytree(trained, target, symlinks=True)
    database = f"sqlite:///{target / 'mlflow.db'}"
    keep_beside(database, str(trained / ARTIFACTS), str(target / ARTIFACTS))
    return target


def ran(done: Done) -> list[str]:
    """Return the stages that ran, according to DVC's output."""
    lines = done.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


ASK_MLFLOW = """
import json, logging
logging.disable(logging.INFO)
from mlflow import MlflowClient
client = MlflowClient("sqlite:///mlflow.db")

def walk(run_id, path=""):
    for item in client.list_artifacts(run_id, path):
        yield from walk(run_id, item.path) if item.is_dir else [item.path]

experiment = client.get_experiment_by_name("sentigate")
runs = client.search_runs([experiment.experiment_id])
facts = [{
    "id": run.info.run_id, "name": run.info.run_name, "status": run.info.status,
    "seconds": (run.info.end_time or 0) / 1000 - run.info.start_time / 1000,
    "params": run.data.params, "metrics": run.data.metrics, "tags": run.data.tags,
    "history": {key: [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, key)]
                for key in ("train.log_loss", "validation.log_loss", "validation.accuracy")
                if key in run.data.metrics},
    "inputs": [{"name": i.dataset.name, "digest": i.dataset.digest, "profile": i.dataset.profile,
                "tags": {t.key: t.value for t in i.tags}} for i in run.inputs.dataset_inputs],
    "artifacts": sorted(walk(run.info.run_id)),
} for run in runs]
models = [{"name": m.name, "aliases": dict(m.aliases)} for m in client.search_registered_models()]
versions = [{"version": int(v.version), "tags": v.tags, "run_id": v.run_id, "source": v.source}
            for v in client.search_model_versions("name = 'MODEL_NAME'")]
print(json.dumps({"runs": facts, "models": models, "versions": versions}))
"""


def ask_mlflow(project: Path) -> dict[str, Any]:
    """Return the runs, models and versions in a project's MLflow."""
    done = run_in(project, sys.executable, "-c", ASK_MLFLOW.replace("MODEL_NAME", MODEL))
    assert done.returncode == 0, done.stderr[-2000:]
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def read_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
