"""The command line over the library."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import yaml

from .errors import ParamsError, SentigateError, shorten
from .params import Params, load_params, parse_params

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="LSTM sentiment classification as a gated, versioned, tracked pipeline. "
    "Run from the project's root.",
)
PARAMS = Path("params.yaml")


@app.command()
def train(
    dataset: Annotated[str, typer.Option(help="An entry of datasets: in params.yaml.")] = "",
    model: Annotated[str, typer.Option(help="An entry of models: in params.yaml.")] = "",
) -> None:
    """Bring the pipeline up to date, as `dvc repro` does, and print how the model did.

    A data set or model that is named becomes the choice in params.yaml. Stages whose inputs have
    not changed do not run.

    Example: sentigate train --dataset twitter --model lstm
    """
    params = choose(PARAMS, {"dataset": dataset, "model": model})
    _dvc("repro")
    version = _registered(params)
    if version is None:
        print("The model is trained, but this MLflow registry does not hold it yet.")
        _dvc("repro", "--single-item", "--force", "register")
        version = _registered(params)
    _print_summary(params, (version.run_id if version else None) or "unknown")


@app.command()
def predict(
    texts: Annotated[list[str], typer.Argument(help="Texts to judge, each in quotes.")],
    model: Annotated[
        str, typer.Option(help="An MLflow model URI; by default the data set's promoted version.")
    ] = "",
) -> None:
    """Print a label and the probability of positive for each text.

    Example: sentigate predict "A fine film, warm and funny." "I want my two hours back."
    """
    from .registry import load_model

    model = model or _promoted()
    answers = load_model(model)(texts)
    for text, label, probability in zip(
        texts, answers["label"], answers["probability"], strict=True
    ):
        print(f"{label}\t{probability:.4f}\t{' '.join(text.split())}")


@app.command()
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
    from .registry import load_model
    from .tracking import tracking_uri

    model = model or _promoted()
    load_model(model)
    print(f"serving {model} on http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = ["models", "serve", "--model-uri", model, "--env-manager", "local"]
    _mlflow(*command, "--host", "127.0.0.1", "--port", str(port), tracking_uri=tracking_uri())


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Serve the MLflow UI on 127.0.0.1, over the runs and models of this project.

    Example: sentigate ui --port 5000
    """
    from .tracking import connect, tracking_uri

    uri = tracking_uri()
    if uri.startswith(("http:", "https:")):
        print(f"MLFLOW_TRACKING_URI names a server: open {uri}")
        return
    connect()
    print(f"MLflow UI: http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = ["ui", "--host", "127.0.0.1", "--port", str(port)]
    _mlflow(*command, "--backend-store-uri", uri, tracking_uri=uri)


@app.command()
def ci_report(
    base: Annotated[str, typer.Option(help="The git revision to compare with.")] = "main",
) -> None:
    """Print, as Markdown, how the figures differ from another revision, and what the gates said.

    Example: sentigate ci-report --base HEAD~1
    """
    from .comparison import comparison

    print(comparison(base))


def choose(path: Path, choices: dict[str, str]) -> Params:
    """Set top-level keys in a params.yaml, comments and all else as they were.

    Args:
        path: the file.
        choices: key -> value; an empty value leaves the key as it is.

    Returns:
        The file's params.

    Raises:
        ParamsError: the file would not be valid; it is left as it was.
    """
    params = load_params(path)
    before = text = path.read_bytes().decode()  # as they are, line ends too
    for key, value in choices.items():
        if value:
            escaped = value.replace("\\", r"\\")
            text, count = re.subn(rf"(?m)^({key}:\s*)\S+", rf"\g<1>{escaped}", text)
            if count != 1:
                raise ParamsError(f"{path} has no line `{key}: ...` to set")
    if text == before:
        return params
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        values = {}
    for key, value in choices.items():
        if value and values.get(key) != value:
            raise ParamsError(f"{key} is {shorten(value)}, which is no name")
    params = parse_params(values, path.name)
    partial = path.with_suffix(".partial")
    partial.write_bytes(text.encode())
    partial.replace(path)
    return params


def _promoted() -> str:
    """The URI of the chosen data set's promoted version."""
    from .registry import model_name

    params = load_params(PARAMS)
    return f"models:/{model_name(params.dataset)}@{params.register_.alias}"


def _mlflow(*arguments: str, tracking_uri: str) -> None:
    """Run an MLflow server until it ends or Ctrl-C is pressed."""
    # Background jobs are for MLflow's own AI features; without them it starts twice as fast.
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_TRACKING_URI": tracking_uri}
    try:
        returncode = _run_module("mlflow", *arguments, **settings)
    except KeyboardInterrupt:
        return
    raise typer.Exit(returncode)


def _dvc(*arguments: str) -> None:
    """Run DVC, and end here when it fails."""
    if _run_module("dvc", *arguments):
        raise typer.Exit(1)


def _run_module(module: str, *arguments: str, **settings: str) -> int:
    """Run a module's command line; the `python` that it starts is the one that runs this."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, **settings, "PATH": path}).returncode


def _registered(params: Params) -> ModelVersion | None:
    """The version that holds the weights in models/; there is none when DVC has restored them."""
    from .registry import find_version, model_name
    from .tracking import sha256_of

    tags = {"weights_sha256": sha256_of(Path("models/weights.safetensors"))}
    return find_version(model_name(params.dataset), tags)


def _print_summary(params: Params, run_id: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from .tracking import tracking_uri

    metrics = json.loads(Path("reports/metrics.json").read_text("utf-8"))
    registration = json.loads(Path("reports/registration.json").read_text("utf-8"))
    table = Table(title=f"{params.dataset}, test split of {metrics['test']['rows']:,} texts")
    for column in ("", "accuracy", "95 % interval", "F1"):
        table.add_column(column, justify="left" if not column else "right")
    for name, key in ((params.model, "test"), ("TF-IDF + logistic regression", "baseline")):
        row = metrics[key]
        interval = f"{row['accuracy_low']:.4f} – {row['accuracy_high']:.4f}"
        table.add_row(name, f"{row['accuracy']:.4f}", interval, f"{row['f1']:.4f}")
    table.add_row("always the commoner label", f"{metrics['majority']['accuracy']:.4f}", "", "")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"model   {registration['name']} version {registration['version']}: "
        f"{'promoted to ' + registration['alias'] if registration['promoted'] else 'not promoted'} "
        f"({registration['reason']})\n"
        f"run     {run_id} in {tracking_uri()}\n"
        f"report  reports/report.html\n\n"
        'next    make predict TEXT="what a lovely day"\n'
        "        make ui\n"
        "        make train DATASET=twitter",
        soft_wrap=True,
    )


def main() -> None:
    """Run the command line; what a user can mend ends in one message and exit code 1."""
    try:
        app()
    except SentigateError as error:
        sys.exit(f"sentigate: {error}")
    except FileNotFoundError as error:
        sys.exit(f"sentigate: {error.filename} does not exist; run `make train` first")


if __name__ == "__main__":
    main()
