"""The MLflow run of a training: the train stage opens and ends it, and later stages add to it."""

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
    artifacts.DATA_PAGE,
    artifacts.SUSPECTS,
    *artifacts.OUTPUTS["evaluate"],
    artifacts.GATES,
)
"""Files for the run of a registered model."""
RESULTS_AGAIN = (
    artifacts.METRICS_REPORT,
    artifacts.REPORT,
    artifacts.DATA_PAGE,
    artifacts.SUSPECTS,
    artifacts.GATES,
)
"""Files for a run that trained the same weights again, so that no later stage ran."""


@contextmanager
def open_training_run(params: Params, resolved: Mapping[str, Any]) -> Iterator[OpenRun]:
    """Open the run of the train stage, and end it as FAILED if the body raises.

    Args:
        params: the whole of params.yaml.
        resolved: values that params.yaml leaves open, for the run's params.

    Raises:
        RegistryError: MLflow's local database cannot be used.
    """
    tags = {"dataset": params.dataset, "model": params.model, "git_commit": git_commit()}
    with run_or_fail(_name(params), tags) as run:
        run.log_params({**params.chosen(), **resolved})
        yield run


def end_training_run(run: OpenRun, reports: Path, passed: bool) -> None:
    """End the run, once the train stage's gate has been checked.

    Args:
        run: the open run.
        reports: folder of files to log.
        passed: whether the gate passed.
    """
    run.log_files(reports, "reports")
    run.end("FINISHED" if passed else "FAILED")
    if not passed:
        print(f"  MLflow run {run.id or 'of this training'} ends as FAILED")


def log_evaluation(
    params: Params, metrics: Mapping[str, Any], epochs: int, out: Path, passed: bool
) -> None:
    """Add the evaluate stage's figures to the run, once the stage's gate has been checked.

    A server that does not answer raises nothing.

    Args:
        params: the whole of params.yaml.
        metrics: content of reports/metrics.json.
        epochs: number of epochs trained.
        out: folder of the stage's outputs, which are logged if the gate failed.
        passed: whether the gate passed.
    """
    with later_if_away("the figures of evaluate"):
        run = _training_run(params)
        run.log_metrics(metrics, step=epochs)
        run.mark("FINISHED" if passed else "FAILED")
        if not passed:
            run.log_files([out / "reports"], out)
            print(f"  the figures are logged to MLflow run {run.id}, which is marked FAILED")


def log_refusal(params: Params) -> None:
    """Mark the run FAILED, because the register stage's gate refused its model.

    A server that does not answer raises nothing.
    """
    with later_if_away("the results of register's gate"):
        run = _training_run(params)
        run.mark("FAILED")
        print(f"  no version was added, and MLflow run {run.id} is marked FAILED")


def finish_training_run(params: Params, metrics: Mapping[str, Any]) -> EndedRun:
    """Add figures, files and tables to the run of a model to register, and mark it FINISHED.

    Args:
        params: the whole of params.yaml.
        metrics: content of reports/metrics.json.

    Raises:
        RegistryError: MLflow does not answer.
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
    """Bring MLflow up to date after `dvc repro`, for the stages that did not run.

    - The journals of earlier executions are sent.
    - The run of the registered version is marked FINISHED: a gate may have marked it FAILED before
      DVC restored the stage from its cache.
    - The newest run of the same weights gets their figures and files: a changed threshold alone
      trains the same weights again, and then no later stage runs.

    A server that does not answer raises nothing.

    Args:
        params: the whole of params.yaml.
        registered: id of the registered version's run; None without a version.
    """
    with later_if_away("the entries of earlier runs"):
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
    """Return the newest run that trained the weights in ``artifacts.TRAINED_WEIGHTS``."""
    return find_run(artifacts.TRAINED_WEIGHTS, _name(params))


def _name(params: Params) -> str:
    return f"{params.dataset}-{params.model}"
