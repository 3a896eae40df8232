"""`sentigate train`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..params import Params
from .chosen import PARAMS, choose
from .modules import dvc

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


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
    try:
        dvc("repro")
    finally:
        _remove_refuted_pages()
    version = _registered(params)
    if version is None:
        print("The model is trained, but this MLflow registry does not hold it yet.")
        dvc("repro", "--single-item", "--force", "register")
        version = _registered(params)
    _print_summary(params, (version.run_id if version else None) or "unknown")


def _remove_refuted_pages() -> None:
    """Remove what reports/failed/ says of a stage that has passed since.

    A stage that runs does it itself; one that DVC takes out of its cache does not run. DVC removes
    the outputs of a stage that fails, its page in reports/gates/ among them.
    """
    for page in Path("reports/failed").glob("*.*"):
        if Path("reports/gates", page.name).exists():
            page.unlink()


def _registered(params: Params) -> ModelVersion | None:
    """The version that holds the weights in models/; there is none when DVC has restored them."""
    from ..registry import find_version, model_name
    from ..tracking import sha256_of

    tags = {"weights_sha256": sha256_of(Path("models/weights.safetensors"))}
    return find_version(model_name(params.dataset), tags)


def _print_summary(params: Params, run_id: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..tracking import tracking_uri

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
