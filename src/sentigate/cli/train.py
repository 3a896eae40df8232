"""`sentigate train`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentigate import artifacts
from sentigate.files import sha256_of
from sentigate.progress import doing
from sentigate.settings.params import Params, load_params

from .selection import PARAMS, choose
from .subprocesses import dvc

WARNING = "bold yellow"

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion
    from rich.table import Table
    from rich.text import Text


def train(
    dataset: Annotated[
        str, typer.Option(help="A data set: a file of datasets/, without .yaml.")
    ] = "",
    model: Annotated[
        str,
        typer.Option(help="An entry of models: in params.yaml; by default the data set's model."),
    ] = "",
) -> None:
    """Bring the pipeline up to date, as `dvc repro` does, and print the model's figures.

    The given data set and model become the choice in params.yaml. With only a data set, the model
    that its entry names is chosen. Stages whose inputs have not changed do not run.

    Example: sentigate train --dataset twitter --model lstm
    """
    if dataset and not model:
        entry = load_params(PARAMS).datasets.get(dataset)
        model = entry.model if entry else ""
    params = choose(PARAMS, {"dataset": dataset, "model": model})
    try:
        dvc("repro")
    finally:
        _remove_refuted_pages()
    with doing("looking up the model in MLflow"):
        version = _registered(params)
        if version is None:
            print("The model is trained, but not completely in this MLflow registry.")
            dvc("repro", "--single-item", "--force", "register")
            version = _registered(params)
        from sentigate.tracking.training_run import catch_up

        catch_up(params, version.run_id if version else None)
    _print_summary(params, version)


def _remove_refuted_pages() -> None:
    """Remove the pages of failed gates whose stages have passed since.

    A stage that runs removes its own page, but a stage that DVC restores from its cache does not
    run. A stage has passed if its page is in ``artifacts.GATES``, because DVC removes the outputs
    of a stage that fails.
    """
    for page in artifacts.FAILED.glob("*.*"):
        if (artifacts.GATES / page.name).exists():
            page.unlink()


def _registered(params: Params) -> ModelVersion | None:
    """Return the version of the trained weights; None if it or the champion cannot be loaded.

    Weights that DVC restored from its cache may have no version here, and artifacts may be lost.
    """
    from sentigate.registry.versions import aliased, find_version, is_whole, model_name

    name = model_name(params.table)
    tags = {"weights_sha256": sha256_of(artifacts.TRAINED_WEIGHTS)}
    version, best = find_version(name, tags), aliased(name, params.register_.alias)
    if version is None or best is None or not is_whole(version):
        return None
    return version if best.version == version.version or is_whole(best) else None


def _print_summary(params: Params, version: ModelVersion | None) -> None:
    from rich.console import Console

    from sentigate.tracking.connection import tracking_uri

    metrics = json.loads(artifacts.METRICS_REPORT.read_text("utf-8"))
    linear = json.loads(artifacts.BASELINE_REPORT.read_text("utf-8"))
    table = figures_table(params, metrics)
    console = Console(highlight=False)
    console.print(table)
    for warning in _warnings(version):
        console.print(f"WARNING {warning}", style=WARNING, soft_wrap=True)
    console.print(
        f"linear  {linear['description']}\n"
        f"model   {_standing(params, version)}\n"
        f"run     {version.run_id if version else 'unknown'} in {tracking_uri()}\n"
        f"report  {artifacts.REPORT}\n\n"
        'next    make predict TEXT="what a lovely day"\n'
        "        make ui\n"
        "        make train DATASET=twitter",
        soft_wrap=True,
    )


def figures_table(params: Params, metrics: dict[str, dict[str, Any]]) -> Table:
    """Return a table of the main figures on the test split: model, baseline, majority class.

    The caption says whether the model, and its network alone, differ from the baseline by more than
    chance, and what the accuracy is worth if most texts are of one class.

    Args:
        params: the params of the training.
        metrics: the content of ``METRICS_REPORT``.
    """
    from rich.table import Table
    from rich.text import Text

    from sentigate.evaluation.formats import precise
    from sentigate.evaluation.metrics import TEST, headlines
    from sentigate.leaderboard.table import BASELINE, MAJORITY

    rows = metrics["test"]["rows"]
    table = Table(
        title=f"{params.dataset}, test split of {rows:,} texts",
        caption=Text("\n").join(_caption(metrics)),
        caption_justify="left",
    )
    table.add_column()
    shown = headlines(TEST, params.chosen_dataset.classes)
    for metric in shown:
        table.add_column(metric.title, justify="right")
        if metric.interval:
            table.add_column("95 % interval", justify="right")
    for name, part in (
        (params.model, "test"),
        *([("its network alone", "network")] if metrics["fusion"]["share"] else []),
        (BASELINE, "baseline"),
        (MAJORITY, "majority"),
    ):
        cells = [name]
        for metric in shown:
            value, *ends = (
                precise(metrics[part].get(key), metric.unit)
                for key in (metric.key, *metric.interval_keys)
            )
            cells.append(value)
            if metric.interval:
                cells.append(" – ".join(filter(None, ends)))
        table.add_row(*cells)
    return table


def _caption(metrics: dict[str, dict[str, Any]]) -> Iterator[Text]:
    """Yield sentences about the model, its network if that is only a part, and skewed classes."""
    from rich.text import Text

    from sentigate.evaluation.difference import difference_sentence, is_worse
    from sentigate.evaluation.skew import skew_sentence

    shown = [("difference", "the model")]
    if metrics["fusion"]["share"]:
        shown.append(("network_difference", "the network alone"))
    for key, whose in shown:
        sentence = difference_sentence(metrics[key], metrics["test"]["rows"], whose)
        yield Text(sentence, style=WARNING if is_worse(metrics[key]) else "")
    if sentence := skew_sentence(metrics):
        yield Text(sentence)


def _warnings(version: ModelVersion | None) -> Iterator[str]:
    """Yield warnings if, on the validation texts, the linear baseline is better."""
    from sentigate.registry.versions import NETWORK_WORSE_TAG, WORSE_TAG

    if version is None or "true" not in map(version.tags.get, (WORSE_TAG, NETWORK_WORSE_TAG)):
        return
    yield version.description or ""
    if version.tags.get(WORSE_TAG) == "true":
        yield "The linear baseline alone is better; more texts or another MODEL= may help."


def _standing(params: Params, version: ModelVersion | None) -> str:
    """Return the version and its alias in the registry today; ``REGISTRATION`` may be outdated."""
    from sentigate.registry.versions import REASON_TAG, aliased, model_name

    name, alias = model_name(params.table), params.register_.alias
    if version is None:
        return f"no version of {name} was found"
    best = aliased(name, alias)
    reason = version.tags.get(REASON_TAG, "")
    if best is not None and best.version != version.version:
        return f"{name} version {version.version}: {alias} is version {best.version} ({reason})"
    return f"{name} version {version.version}: {alias} ({reason})"
