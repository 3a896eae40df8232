"""Sending journals to MLflow: this process's own, and those of earlier executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import EXPERIMENT, connect, mlflow_errors, tracking_uri
from .journal import Entry, Journal, left_journals

if TYPE_CHECKING:
    from mlflow import MlflowClient


@mlflow_errors()
def send(client: MlflowClient, journal: Journal) -> bool:
    """Send the entries that this process has not sent; MLflow stores an entry sent twice once.

    Returns:
        Whether MLflow accepted every entry.

    Raises:
        RegistryError: MLflow does not answer.
    """
    from mlflow.exceptions import MlflowException

    refusal = ""
    for entry in journal.entries[journal.sent :]:
        if "start" in entry:
            if journal.find("run") is None:
                journal.add({"run": _create_run(client, entry["start"])})
        else:
            try:
                _log(client, journal.find("run"), entry)
            except MlflowException as error:  # a deleted run, or a value that is too long
                if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
                    raise
                refusal = refusal or " ".join(str(error).split())[:200]
        journal.sent += 1
    if refusal:
        print(f"  MLflow refused a part of run {journal.find('run')}: {refusal}")
    return not refusal


def _create_run(client: MlflowClient, start: Entry) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    run = client.create_run(experiment.experiment_id, start["time"], start["tags"], start["name"])
    return str(run.info.run_id)


def _log(client: MlflowClient, run_id: str, entry: Entry) -> None:
    from mlflow.entities import Metric, Param, RunTag

    if "params" in entry:
        client.log_batch(run_id, params=[Param(k, v) for k, v in entry["params"].items()])
    elif "metrics" in entry:
        at, step = entry["time"], entry["step"]
        values = [Metric(key, value, at, step) for key, value in entry["metrics"].items()]
        client.log_batch(run_id, metrics=values)
    elif "tags" in entry:
        client.log_batch(run_id, tags=[RunTag(k, v) for k, v in entry["tags"].items()])
    elif "end" in entry:
        client.set_terminated(run_id, entry["end"], entry["time"])


def complete_runs() -> None:
    """Send the journals of earlier executions; a run without an end is closed as KILLED.

    Raises:
        RegistryError: MLflow does not answer. Journals that were not sent stay in their folder.
    """
    for journal in left_journals():
        try:
            _complete(journal)
        finally:
            journal.release()


def _complete(journal: Journal) -> None:
    start = journal.find("start")
    if start is None:  # its process was killed before it had written a whole line
        journal.remove()
    elif start["uri"] != tracking_uri():
        print(
            f"  {journal.path} waits for MLflow at {start['uri']}; if that server is gone for "
            "good, delete the file"
        )
    else:
        killed = journal.find("end") is None
        if killed:
            journal.add({"end": "KILLED", "time": journal.last_written()})
        client = connect()
        if not _exists(client, journal.find("run")):  # the server has a new store: send all again
            journal.forget("run")
        if send(client, journal):
            state = "was killed, and is closed as KILLED" if killed else "is now complete"
            print(f"  run {journal.find('run')} ({start['name']}) {state}")
        journal.remove()


@mlflow_errors()
def _exists(client: MlflowClient, run_id: str | None) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return run_id is not None and bool(client.get_run(run_id))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
