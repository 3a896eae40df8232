"""One MLflow run for each training, and where MLflow is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentigate.errors import RegistryError
from sentigate.files import sha256_of

from .artifact_location import keep_beside, local_artifacts
from .run_journal import Entry, Journal, left_journals, new_journal, now

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

EXPERIMENT = "sentigate"
DEFAULT_URI = "sqlite:///mlflow.db"
WEIGHTS_TAG = "sentigate.weights_sha256"
EPOCH_METRICS = {
    "train_loss": "train.log_loss",
    "validation_loss": "validation.log_loss",
    "validation_accuracy": "validation.accuracy",
}
"""From a column of reports/training.csv to the metric's name, which is the same after training."""


def tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or the SQLite file in the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def is_remote() -> bool:
    """Whether runs go to a server, which may be away for a while."""
    return tracking_uri().startswith(("http:", "https:"))


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turn what MLflow raises into one message; also a decorator.

    Raises:
        RegistryError: names the tracking URI and MLflow's first words.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:  # the latter: a damaged or locked file
        first = " ".join(str(error).split())
        raise RegistryError(
            f"MLflow at {tracking_uri()} failed: {first[:300]}. "
            f"Check MLFLOW_TRACKING_URI; unset, it is {DEFAULT_URI}."
        ) from None


@contextmanager
def later_if_away(what: str) -> Iterator[None]:
    """Do what MLflow can also be told later, and where it is away, say so and go on."""
    try:
        yield
    except RegistryError as error:
        print(f"  {what} could not be told to MLflow, the next `dvc repro` does it: {error}")


@mlflow_errors()
def connect() -> MlflowClient:
    """A client whose experiment exists; the SQLite database is made when it isn't there.

    Raises:
        RegistryError: the server at the tracking URI does not answer.
    """
    # A server that is down should be said to be down in seconds, not after five minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    artifacts = local_artifacts(uri)  # a server has its own
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        # Else MLflow's UI guesses that an experiment is about language-model agents.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        client.create_experiment(EXPERIMENT, artifact_location=artifacts, tags=kind)
    elif experiment.lifecycle_stage == "deleted":  # in the UI; it takes no run
        client.restore_experiment(experiment.experiment_id)
    if experiment is not None and artifacts:
        keep_beside(uri, experiment.artifact_location, artifacts)
    return client


class OpenRun:
    """A run that is being made.

    Whatever it is told is kept in a journal, and sent to MLflow at once. Where MLflow is away,
    that is said once, the training goes on, and ``complete_runs`` sends the rest later.
    """

    def __init__(self, name: str, tags: Mapping[str, str]) -> None:
        self._journal = new_journal()
        source = {"mlflow.source.name": "pipeline", "mlflow.source.type": "LOCAL"}
        start = {"name": name, "uri": tracking_uri(), "time": now(), "tags": {**source, **tags}}
        self._client: MlflowClient | None = None
        self._away = False
        self._add({"start": start}, raises=not is_remote())

    @property
    def id(self) -> str:
        """MLflow's id; "" where MLflow has not been reached yet."""
        return self._journal.find("run") or ""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log nested params under dotted names, in one call."""
        self._add({"params": {key: str(value) for key, value in _flatten(params)}})

    def log_metrics(self, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Log nested numbers under dotted names, in one call; None is left out."""
        self._add({"metrics": _numbers(metrics), "step": step, "time": now()})

    def log_epoch(self, row: Mapping[str, float], prefix: str = "") -> None:
        """Log an epoch's figures under ``prefix`` and the metrics' names, and print its row."""
        self._log_row(row, prefix, int(row["epoch"]))
        figures = {f"{prefix}{key}": value for key, value in row.items() if key != "epoch"}
        shown = {"epoch": row["epoch"], **figures}
        print("  " + ", ".join(f"{key} {value:.4g}" for key, value in shown.items()), flush=True)

    def log_kept(self, epochs: pd.DataFrame, prefix: str = "") -> None:
        """Log the kept epoch's figures once more after the last, for the latest are shown.

        Args:
            epochs: as ``training.fit`` gives them.
            prefix: as ``log_epoch`` had it.
        """
        kept = epochs.loc[epochs["kept"] == 1]
        if kept.empty:  # no epoch's loss was finite
            return
        row = {str(key): value for key, value in kept.iloc[0].items()}
        self._log_row(row, prefix, len(epochs))
        self.log_metrics({f"{prefix}kept_epoch": row["epoch"]}, step=len(epochs))

    def _log_row(self, row: Mapping[str, Any], prefix: str, step: int) -> None:
        self.log_metrics({f"{prefix}{n}": row[key] for key, n in EPOCH_METRICS.items()}, step)

    def log_files(self, folder: Path, artifact_path: str) -> None:
        """Log all files of a folder, unless MLflow is away: they are kept where they are."""
        if self._client is None or self._away:
            return
        try:
            with mlflow_errors():
                self._client.log_artifacts(self.id, str(folder), artifact_path)
        except (RegistryError, OSError) as error:
            self._say_away(error)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._add({"tags": dict(tags)})

    def tag_weights(self, weights: Path) -> None:
        """Tag the run with the hash of the weights it made, by which later stages find it."""
        self.tag({WEIGHTS_TAG: sha256_of(weights)})

    def end(self, status: str = "FINISHED") -> None:
        """Close the run as FINISHED or FAILED."""
        self._away = False  # it may be back
        self._add({"end": status, "time": now()})
        if self._journal.sent == len(self._journal.entries):
            self._journal.remove()
        else:
            self._journal.release()

    def _add(self, entry: Entry, *, raises: bool = False) -> None:
        self._journal.add(entry)
        if self._away:
            return
        try:
            self._client = self._client or connect()
            _send(self._client, self._journal)
        except RegistryError as error:
            if raises:
                self._journal.remove()
                raise
            self._say_away(error)

    def _say_away(self, error: Exception) -> None:
        self._away = True
        print(
            f"  {error}\n  training goes on, its figures are kept in {self._journal.path}, and the "
            "next `dvc repro` that reaches MLflow completes the run",
            flush=True,
        )


@mlflow_errors()
def _send(client: MlflowClient, journal: Journal) -> bool:
    """Tell MLflow what it has not been told; what it is told twice it keeps once.

    Returns:
        Whether it took all of it.
    """
    from mlflow.exceptions import MlflowException

    refusal = ""
    for entry in journal.entries[journal.sent :]:
        if "start" in entry:
            if journal.find("run") is None:
                journal.add({"run": _create_run(client, entry["start"])})
        else:
            try:
                _tell(client, journal.find("run"), entry)
            except MlflowException as error:  # a run that was deleted, a value that is too long
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


def _tell(client: MlflowClient, run_id: str, entry: Entry) -> None:
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
    """Tell MLflow what earlier executions could not, and close the runs that a kill left open.

    Raises:
        RegistryError: MLflow is away; what it has not been told stays where it is.
    """
    for journal in left_journals():
        try:
            _complete(journal)
        finally:
            journal.release()


def _complete(journal: Journal) -> None:
    start = journal.find("start")
    if start is None:  # killed before a line was whole
        journal.remove()
    elif start["uri"] != tracking_uri():
        print(f"  {journal.path} waits for MLflow at {start['uri']}; delete it if that is gone")
    else:
        killed = journal.find("end") is None
        if killed:
            journal.add({"end": "KILLED", "time": journal.last_written()})
        client = connect()
        if not _exists(client, journal.find("run")):  # the server has another store now
            journal.forget("run")
        if _send(client, journal):
            how = "was killed, and is closed as such" if killed else "is complete now"
            print(f"  run {journal.find('run')} ({start['name']}) {how}")
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


def start_run(name: str, tags: Mapping[str, str] | None = None) -> OpenRun:
    """Open a run.

    Raises:
        RegistryError: MLflow's local store cannot be used; a server that is away can wait.
    """
    if not is_remote():
        complete_runs()
    else:
        with later_if_away("what earlier runs left"):
            complete_runs()
    return OpenRun(name, tags or {})


@contextmanager
def run_or_fail(name: str, tags: Mapping[str, str] | None = None) -> Iterator[OpenRun]:
    """Open a run that is marked FAILED when the body raises; else the caller ends it."""
    run = start_run(name, tags)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise


class Run:
    """A run that has ended, to which later stages add what is not there yet."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client = client
        self.id = run_id

    @mlflow_errors()
    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log those nested numbers, under dotted names, that the run does not have yet.

        Args:
            metrics: figures of the kept weights; None is left out.
            step: how many epochs there were, so that these are the latest of their names.
        """
        from mlflow.entities import Metric

        there = self.client.get_run(self.id).data.metrics
        new = [
            Metric(key, value, now(), step)
            for key, value in _numbers(metrics).items()
            if abs(there.get(key, float("inf")) - value) > SAME
        ]
        self.client.log_batch(self.id, metrics=new)

    @mlflow_errors()
    def log_table(self, name: str, path: Path, context: str) -> None:
        """Log a file as a data set that went in, with its SHA-256 as digest."""
        import json

        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"uri": path.as_posix()})
        digest = sha256_of(path)
        dataset = Dataset(
            name, digest[:36], "local", source, profile=json.dumps({"sha256": digest})
        )
        entry = DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
        self.client.log_inputs(self.id, [entry])

    @mlflow_errors()
    def log_files(self, paths: Iterable[Path], root: Path = Path()) -> None:
        """Log files, and folders with all that is in them, under their paths from ``root``."""
        for path in paths:
            place = path.relative_to(root)
            if path.is_dir():
                self.client.log_artifacts(self.id, str(path), place.as_posix())
            else:
                self.client.log_artifact(self.id, str(path), place.parent.as_posix())

    @mlflow_errors()
    def tags(self) -> dict[str, str]:
        """The run's tags."""
        return dict(self.client.get_run(self.id).data.tags)

    @mlflow_errors()
    def mark(self, status: str) -> None:
        """Give it another status; when it ended stays, for that is how long training took."""
        info = self.client.get_run(self.id).info
        if info.status != status:
            self.client.set_terminated(self.id, status, info.end_time)


SAME = 1e-6
"""Figures are kept with six decimals; MLflow has those of an epoch with more."""


@mlflow_errors()
def find_run(weights: Path, name: str) -> Run:
    """The newest run that trained these very weights, whole.

    Weights can arrive without their run, pulled from a DVC remote or out of DVC's cache; then a
    run is made for them and tagged ``sentigate.restored``.

    Raises:
        RegistryError: MLflow is away.
    """
    complete_runs()
    client = connect()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    digest = sha256_of(weights)
    found = client.search_runs(
        [experiment.experiment_id],
        f"tags.`{WEIGHTS_TAG}` = '{digest}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if found:
        return Run(client, found[0].info.run_id)
    run = OpenRun(name, {WEIGHTS_TAG: digest, "sentigate.restored": "true"})
    run.end()
    if not run.id:
        raise RegistryError(f"MLflow at {tracking_uri()} went away; run `dvc repro` again")
    return Run(client, run.id)


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in _flatten(metrics) if value is not None}


def _flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
