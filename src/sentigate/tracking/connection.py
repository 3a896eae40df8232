"""Where MLflow is, the client that talks to it, and what happens when it does not answer."""

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
    """``MLFLOW_TRACKING_URI``, or the SQLite file in the project's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def is_remote() -> bool:
    """Whether MLflow is a server, which may be away for a while."""
    return tracking_uri().startswith(("http:", "https:"))


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turn MLflow's exceptions into one message; also a decorator.

    Raises:
        RegistryError: names the tracking URI and gives the start of MLflow's own message.
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
    """Print a message and go on where MLflow does not answer; the next run logs ``what``."""
    try:
        yield
    except RegistryError as error:
        print(f"  {what} could not be told to MLflow, the next `dvc repro` does it: {error}")


@mlflow_errors()
def connect() -> MlflowClient:
    """A client whose experiment exists; a missing SQLite database is made.

    Raises:
        RegistryError: the server at the tracking URI does not answer.
    """
    # By default MLflow tries a server that is down for five minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    import mlflow

    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri)
    artifacts = local_artifacts(uri)  # None for a server, which has its own
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        # Without this tag MLflow's UI takes the experiment for one about language-model agents.
        kind = {"mlflow.experimentKind": "custom_model_development"}
        client.create_experiment(EXPERIMENT, artifact_location=artifacts, tags=kind)
    elif experiment.lifecycle_stage == "deleted":  # in the UI; it accepts no runs
        client.restore_experiment(experiment.experiment_id)
    if experiment is not None and artifacts:
        keep_beside(uri, experiment.artifact_location, artifacts)
    return client
