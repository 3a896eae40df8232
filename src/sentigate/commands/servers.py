"""`sentigate serve` and `sentigate ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from .chosen import promoted
from .modules import run_module


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5001,
    model: Annotated[
        str, typer.Option(help="An MLflow model URI; by default the data set's promoted version.")
    ] = "",
) -> None:
    """Serve a registered model over HTTP on 127.0.0.1: POST /invocations takes raw texts.

    Example: curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json'
    -d '{"inputs": ["A fine film, warm and funny."]}'
    """
    from ..model_package import load_model
    from ..tracking import tracking_uri

    model = model or promoted()
    load_model(model)
    print(f"serving {model} on http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = ["models", "serve", "--model-uri", model, "--env-manager", "local"]
    _mlflow(*command, "--host", "127.0.0.1", "--port", str(port), tracking_uri=tracking_uri())


def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Serve the MLflow UI on 127.0.0.1, over the runs and models of this project.

    Example: sentigate ui --port 5000
    """
    from ..tracking import connect, tracking_uri

    uri = tracking_uri()
    if uri.startswith(("http:", "https:")):
        print(f"MLFLOW_TRACKING_URI names a server: open {uri}")
        return
    connect()
    print(f"MLflow UI: http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = ["ui", "--host", "127.0.0.1", "--port", str(port)]
    _mlflow(*command, "--backend-store-uri", uri, tracking_uri=uri)


def _mlflow(*arguments: str, tracking_uri: str) -> None:
    """Run an MLflow server until it ends or Ctrl-C is pressed."""
    # Background jobs are for MLflow's own AI features; without them it starts twice as fast.
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_TRACKING_URI": tracking_uri}
    try:
        returncode = run_module("mlflow", *arguments, **settings)
    except KeyboardInterrupt:
        return
    raise typer.Exit(returncode)
