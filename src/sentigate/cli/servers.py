"""`sentigate serve` and `sentigate ui`: each is one process, which a signal ends."""

from __future__ import annotations

import os
import signal
import socket
import warnings
from typing import TYPE_CHECKING, Annotated, cast

import typer

from sentigate.errors import ServerError
from sentigate.progress import doing

from .selection import promoted

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HOST = "127.0.0.1"
SECONDS = 3
"""Time that open requests get to finish when the server ends."""


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 5001,
    model: Annotated[
        str, typer.Option(help="An MLflow model URI; by default the data set's promoted version.")
    ] = "",
) -> None:
    """Serve a registered model over HTTP on 127.0.0.1; POST /invocations takes raw texts.

    Example: curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json'
    -d '{"inputs": ["A fine film, warm and funny."]}'
    """
    with _bound(port) as listener:
        with doing("loading the model"):
            model = model or promoted()
            from sentigate.registry.loading import load_pyfunc
            from sentigate.serving.scoring_app import ScoringApp

            app = ScoringApp(load_pyfunc(model))
        print(f"serving {model} on http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
        _run(app, listener)


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
    with _bound(port) as listener:
        with doing("starting the MLflow UI"):
            connect()
            app = _tracking_app(uri)
        print(f"MLflow UI: http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
        _run(app, listener)


def _bound(port: int) -> socket.socket:
    """Return a socket that listens on the port, opened early so that no one else takes the port.

    Raises:
        ServerError: the port is in use or not allowed.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ServerError(
            f"port {port} on {HOST} cannot be used: {error.strerror}; "
            "choose another with --port (with make: PORT=)"
        ) from None
    return listener


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


def _run(app: ASGIApp, listener: socket.socket) -> None:
    """Answer requests until SIGTERM, SIGHUP or SIGINT (Ctrl-C)."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: object) -> None:
            signal.alarm(2 * SECONDS)  # ends the process even if a thread still runs
            super().handle_exit(sig, None)

    server = Server(uvicorn.Config(app, timeout_graceful_shutdown=SECONDS))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, server.handle_exit)
    try:
        server.run([listener])
    except KeyboardInterrupt:
        return
