"""`sentigate gradients`."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentigate import artifacts
from sentigate.progress import doing

from .selection import PARAMS, choose
from .subprocesses import dvc

if TYPE_CHECKING:
    import pandas as pd

    from sentigate.settings.params import Params

CELLS = ("rnn", "gru", "lstm")
TEXTS = 256
"""Number of texts: the longest, so that short and long distances are measured on the same texts."""


def gradients(
    dataset: Annotated[
        str, typer.Option(help="A data set: a file of datasets/, without .yaml.")
    ] = "",
    epochs: Annotated[int, typer.Option(min=1, help="Maximum epochs of each training.")] = 3,
) -> None:
    """Measure how far back the loss's gradient reaches in an RNN, a GRU and an LSTM.

    Each network has one layer of the chosen model's size, without its word vectors and n-grams. It
    is measured on the longest validation texts, before and after training. The given data set
    becomes the choice in params.yaml.

    Example: sentigate gradients --dataset imdb --epochs 2
    """
    params = choose(PARAMS, {"dataset": dataset})
    dvc("repro", "pad")
    scratch = Path(".stage/gradients")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        run_id = _measure(params, epochs, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(f"run     {run_id}\nreport  reports/gradients.png, reports/gradients.csv")


def _measure(params: Params, epochs: int, scratch: Path) -> str:
    """Train and measure the three networks, write table and chart, and return the run's id."""
    with doing("loading libraries and texts"):
        import pandas as pd

        from sentigate.data.word_vectors import read_vectors
        from sentigate.insight.gradients import before_and_after, longest, one_layer, only_trained
        from sentigate.model.network.batches import load_split
        from sentigate.reporting.gradient_chart import write_gradient_chart
        from sentigate.tracking.open_run import run_or_fail

        entries = read_vectors(artifacts.WORD_VECTORS).trained_entries
        training, validation = (
            only_trained(load_split(artifacts.PADDED / name), entries)
            for name in ("train", "validation")
        )
    texts = longest(validation, TEXTS, params.seed)
    model = params.chosen_model
    epochs = min(epochs, model.training.max_epochs)
    settings = model.training.model_copy(update={"max_epochs": epochs})
    with run_or_fail(f"{params.dataset}-gradients") as tracked:
        values = params.chosen()
        values["model"] |= {
            "fused": False,
            "network": one_layer(model.network, "lstm").model_dump(exclude={"cell"}),
            "training": settings.model_dump(exclude={"pretraining"}),
        }
        tracked.log_params(values | {"cells": ", ".join(CELLS), "texts": len(texts.lengths)})
        tables = []
        for number, cell in enumerate(CELLS, start=1):
            print(f"{cell}: training {number} of {len(CELLS)}, epochs: {epochs}", flush=True)
            with doing(f"measuring and training {cell}"):
                table = before_and_after(
                    one_layer(model.network, cell),
                    entries,
                    params.chosen_dataset.classes.scores,
                    training,
                    validation,
                    texts,
                    settings,
                    seed=params.seed,
                    scratch=scratch,
                    on_epoch=partial(tracked.log_epoch, prefix=f"{cell}."),
                )
            tracked.log_metrics({cell: _summary(table)})
            tables.append(table)
        with doing("writing table and chart"):
            reports = scratch / "reports"
            reports.mkdir(parents=True)
            whole = pd.concat(tables, ignore_index=True)
            whole.insert(0, "dataset", params.dataset)
            path = reports / "gradients.csv"
            whole.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
            write_gradient_chart(pd.read_csv(path), reports / "gradients.png")
            tracked.log_files(reports, "reports")
        for path in reports.iterdir():
            path.replace(Path("reports") / path.name)
        tracked.end()
    return tracked.id


def _summary(table: pd.DataFrame) -> dict[str, Any]:
    """Print and return the median norm at both ends, and the distance at which 1 % is left.

    Returns:
        moment ("before" or "after" training) -> state -> last, farthest and fades_at.
    """
    from sentigate.insight.gradients import fades_at

    metrics: dict[str, Any] = {"before": {}, "after": {}}
    for (trained, state), curve in table.groupby(["trained", "state"], sort=False):
        moment = "after" if trained else "before"
        last, farthest = (float(curve["median"].iloc[place]) for place in (0, -1))
        faded = fades_at(curve)
        metrics[moment][state] = {"last": last, "farthest": farthest, "fades_at": faded}
        print(
            f"  {moment} training, {state} state: {last:.2g} at the last token, "
            f"{farthest:.2g} {len(curve) - 1} tokens before, 1 % left at "
            f"{'no distance' if faded is None else faded}"
        )
    return metrics
