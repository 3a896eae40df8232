"""One MLflow run for each execution of the pipeline."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import RegistryError
from .files import sha256_of

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "sentigate"
DEFAULT_URI = "sqlite:///mlflow.db"
WEIGHTS_TAG = "sentigate.weights_sha256"


def tracking_uri() -> str:
    """``MLFLOW_TRACKING_URI``, or the SQLite file in the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


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


@mlflow_errors()
def connect() -> MlflowClient:
    """A client whose experiment exists; the SQLite database is made when it isn't there.

    Raises:
        RegistryError: the server at the tracking URI does not answer.
    """
    # A server that is down should be said to be down in seconds, not after five minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    if client.get_experiment_by_name(EXPERIMENT) is None:
        # A relative location keeps a local project movable; a server has its own.
        local = "mlartifacts" if uri.startswith("sqlite:") else None
        # Else MLflow's UI guesses that an experiment is about language-model agents.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        client.create_experiment(EXPERIMENT, artifact_location=local, tags=kind)
    return client


class Run:
    """One MLflow run, open or ended."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client = client
        self.id = run_id

    @mlflow_errors()
    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log nested params under dotted names, in one call."""
        from mlflow.entities import Param

        flat = [Param(key, str(value)) for key, value in _flatten(params)]
        self.client.log_batch(self.id, params=flat)

    @mlflow_errors()
    def log_metrics(self, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Log nested numbers under dotted names, in one call; None is left out."""
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        values = [
            Metric(key, float(value), now, step)
            for key, value in _flatten(metrics)
            if value is not None
        ]
        self.client.log_batch(self.id, metrics=values)

    def log_epoch(self, row: Mapping[str, float], prefix: str = "") -> None:
        """Print an epoch's row, and log its figures under ``prefix`` and their names."""
        figures = {f"{prefix}{key}": value for key, value in row.items() if key != "epoch"}
        shown = {"epoch": row["epoch"], **figures}
        print("  " + ", ".join(f"{key} {value:.4g}" for key, value in shown.items()), flush=True)
        self.log_metrics(figures, step=int(row["epoch"]))

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
    def log_files(self, folder: Path, artifact_path: str) -> None:
        """Log all files of a folder."""
        self.client.log_artifacts(self.id, str(folder), artifact_path)

    @mlflow_errors()
    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        for key, value in tags.items():
            self.client.set_tag(self.id, key, value)

    def tag_weights(self, weights: Path) -> None:
        """Tag the run with the hash of the weights it made, by which later stages find it."""
        self.tag({WEIGHTS_TAG: sha256_of(weights)})

    @mlflow_errors()
    def end(self, status: str = "FINISHED") -> None:
        """Close the run as FINISHED or FAILED."""
        self.client.set_terminated(self.id, status)


@mlflow_errors()
def start_run(name: str) -> Run:
    """Open a run, in an experiment that is made when it isn't there."""
    client = connect()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    source = {"mlflow.source.name": "pipeline", "mlflow.source.type": "LOCAL"}
    run = client.create_run(experiment.experiment_id, run_name=name, tags=source)
    return Run(client, run.info.run_id)


@contextmanager
def run_or_fail(name: str) -> Iterator[Run]:
    """Open a run that is marked FAILED when the body raises; else the caller ends it."""
    run = start_run(name)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise


@mlflow_errors()
def find_run(weights: Path, name: str) -> Run:
    """The newest run that trained these very weights.

    Weights can arrive without their run, pulled from a DVC remote or out of DVC's cache; then a
    run is made for them and tagged ``sentigate.restored``.
    """
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
    run = start_run(name)
    run.tag({WEIGHTS_TAG: digest, "sentigate.restored": "true"})
    run.end()
    return run


def _flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
