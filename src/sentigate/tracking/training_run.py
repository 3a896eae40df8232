"""The life of a training's run: train opens and ends it, and what comes later adds to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sentigate import artifacts
from sentigate.data.training_files import read_epochs
from sentigate.settings.params import Params

from .connection import connect, later_if_away
from .delivery import complete_runs
from .ended_run import EndedRun, find_run
from .open_run import OpenRun, run_or_fail
from .provenance import git_commit

RESULTS = (
    artifacts.EPOCHS.path,
    artifacts.BASELINE_REPORT,
    *artifacts.OUTPUTS["evaluate"],
    artifacts.GATES,
)
"""Files of a registered model's run."""
RESULTS_AGAIN = (artifacts.METRICS_REPORT, artifacts.REPORT, artifacts.GATES)
"""Files of a run that trained the same weights again, so that no later stage ran."""


@contextmanager
def open_training_run(params: Params, resolved: Mapping[str, Any]) -> Iterator[OpenRun]:
    """Open the run of the train stage; it ends as FAILED when the body raises.

    Args:
        params: the whole of params.yaml.
        resolved: values that params.yaml leaves open, logged beside its own.
    """
    tags = {"dataset": params.dataset, "model": params.model, "git_commit": git_commit()}
    with run_or_fail(_name(params), tags) as run:
        run.log_params({**params.chosen(), **resolved})
        yield run


def end_training_run(run: OpenRun, reports: Path, passed: bool) -> None:
    """End the run when the train stage's gate has decided.

    Args:
        run: the open run.
        reports: a folder of files to log.
        passed: whether the gate passed.
    """
    run.log_files(reports, "reports")
    run.end("FINISHED" if passed else "FAILED")
    if not passed:
        print(f"  MLflow run {run.id or 'of this training'} ends as FAILED")


def log_evaluation(
    params: Params, metrics: Mapping[str, Any], epochs: int, out: Path, passed: bool
) -> None:
    """Add the figures of the evaluate stage when its gate has decided; a server may be away.

    Args:
        params: the whole of params.yaml.
        metrics: content of reports/metrics.json.
        epochs: number of epochs trained.
        out: folder of the stage's outputs, which are logged where the gate failed.
        passed: whether the gate passed.
    """
    with later_if_away("what evaluate found"):
        run = _training_run(params)
        run.log_metrics(metrics, step=epochs)
        run.mark("FINISHED" if passed else "FAILED")
        if not passed:
            run.log_files([out / "reports"], out)
            print(f"  figures are logged to MLflow run {run.id}, which is marked FAILED")


def log_refusal(params: Params) -> None:
    """Mark the run of a model that the register stage's gate refused; a server may be away."""
    with later_if_away("that the model is refused"):
        run = _training_run(params)
        run.mark("FAILED")
        print(f"  no version was made, and MLflow run {run.id} is marked FAILED")


def finish_training_run(params: Params, metrics: Mapping[str, Any]) -> EndedRun:
    """Complete the run of a model that is to be registered: figures, files, tables, status.

    Args:
        params: the whole of params.yaml.
        metrics: content of reports/metrics.json.

    Raises:
        RegistryError: MLflow is away.
    """
    run = _training_run(params)
    run.log_metrics(metrics, step=len(read_epochs()))
    run.log_files(RESULTS)
    for table in (artifacts.RAW_TEXTS.path, artifacts.SPLIT_TEXTS.path):
        stage = table.parent.name
        run.log_table(f"{params.dataset}-{stage}", table, stage)
    run.mark("FINISHED")
    return run


def catch_up(params: Params, registered: str | None) -> None:
    """Send what waits, where no stage ran that does so, and correct the runs' status and figures.

    A gate may have failed once, before DVC restored its stage from the cache; and a change of a
    threshold alone trains the same weights again, in a run to which no later stage adds.

    Args:
        params: the whole of params.yaml.
        registered: id of the run of the registered version; None without one.
    """
    with later_if_away("what earlier runs left"):
        complete_runs()
        if not registered:
            return
        EndedRun(connect(), registered).mark("FINISHED")
        newest = _training_run(params)
        if newest.id != registered:
            metrics = json.loads(artifacts.METRICS_REPORT.read_text("utf-8"))
            newest.log_metrics(metrics, step=len(read_epochs()))
            newest.log_files(RESULTS_AGAIN)


def _training_run(params: Params) -> EndedRun:
    """The newest run that trained the weights of the trained model."""
    return find_run(artifacts.TRAINED_WEIGHTS, _name(params))


def _name(params: Params) -> str:
    return f"{params.dataset}-{params.model}"
