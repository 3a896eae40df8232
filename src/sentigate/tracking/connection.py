"""The tracking URI, MLflow's client, and how errors of MLflow are reported."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentigate.errors import RegistryError

from .artifact_location import keep_beside, local_artifacts

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "sentigate"
DEFAULT_URI = "sqlite:///mlflow.db"


def tracking_uri() -> str:
    """Return ``MLFLOW_TRACKING_URI``, or else the URI of the SQLite file in the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def is_remote() -> bool:
    """Return whether MLflow is a server, which may not answer for a while."""
    return tracking_uri().startswith(("http:", "https:"))


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turn MLflow's exceptions into one message; works as a decorator, too.

    Raises:
        RegistryError: MLflow failed. The message has the tracking URI and the start of MLflow's
            own message.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:  # SQLAlchemy: a damaged or locked file
        first = " ".join(str(error).split())
        raise RegistryError(
            f"MLflow at {tracking_uri()} failed: {first[:300]}. "
            f"Check MLFLOW_TRACKING_URI; unset, it is {DEFAULT_URI}."
        ) from None


@contextmanager
def later_if_away(content: str) -> Iterator[None]:
    """If MLflow does not answer, print that the next `dvc repro` sends ``content``, and go on."""
    try:
        yield
    except RegistryError as error:
        print(f"  MLflow did not get {content}; the next `dvc repro` sends them: {error}")


@mlflow_errors()
def connect() -> MlflowClient:
    """Return a client; create the SQLite database and the experiment if they do not exist.

    Raises:
        RegistryError: MLflow at the tracking URI does not answer.
    """
    # By default MLflow retries for five minutes when a server is down.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    artifacts = local_artifacts(uri)  # None for a server, which has its own location
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        # Without this tag MLflow's UI shows the views for language-model agents.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        client.create_experiment(EXPERIMENT, artifact_location=artifacts, tags=kind)
    elif experiment.lifecycle_stage == "deleted":  # a deleted experiment accepts no runs
        client.restore_experiment(experiment.experiment_id)
    if experiment is not None and artifacts:
        keep_beside(uri, experiment.artifact_location, artifacts)
    return client
