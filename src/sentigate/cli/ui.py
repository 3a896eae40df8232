"""`sentigate ui`: MLflow's pages, in one process, which a signal ends."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sentigate.progress import doing

from .listening import HOST, bound, run

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5000,
) -> None:
    """Serve the MLflow UI on 127.0.0.1, with the runs and models of this project.

    Example: sentigate ui --port 5000
    """
    from sentigate.tracking.connection import connect, tracking_uri

    uri = tracking_uri()
    if uri.startswith(("http:", "https:")):
        print(f"MLFLOW_TRACKING_URI names a server: open {uri}")
        return
    with bound(port) as listener:
        with doing("starting the MLflow UI"):
            connect()
            app = _tracking_app(uri)
        print(f"MLflow UI: http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
        run(app, listener)


def _tracking_app(uri: str) -> ASGIApp:
    """Return the app that `mlflow server` runs in child processes, with the same settings."""
    import uvicorn  # noqa: F401  (makes MLflow detect a server, and check the Host header)
    from mlflow.server import constants

    os.environ |= {
        "MLFLOW_TRACKING_URI": uri,
        # Jobs are for MLflow's AI features.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        constants.BACKEND_STORE_URI_ENV_VAR: uri,
        constants.REGISTRY_STORE_URI_ENV_VAR: uri,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: "./mlartifacts",
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own imports warn
        from mlflow.server.fastapi_app import app
    return cast("ASGIApp", app)
