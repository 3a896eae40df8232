"""`sentigate leaderboard`."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentigate.progress import doing

from .selection import PARAMS, choose
from .subprocesses import dvc, run_module

if TYPE_CHECKING:
    import pandas as pd

    from sentigate.settings.params import Params

ENTRY, VOCABULARY = Path("pipeline/leaderboard_entry.py"), Path("pipeline/vocabulary.py")
ROOMS = ("data", "evaluation", "language", "model", "sources", "tables", "training")
"""The code that an entry runs."""
ENTRIES, FAILED = Path("reports/leaderboard"), Path("reports/failed/leaderboard")


def leaderboard(
    dataset: Annotated[str, typer.Option(help="An entry of datasets: in params.yaml.")] = "",
) -> None:
    """Train every model of params.yaml on one data set, and print how they compare.

    Models whose inputs have not changed are not trained again, and one that fails does not stop
    the others. A data set that is named becomes the choice in params.yaml.

    Example: sentigate leaderboard --dataset twitter
    """
    params = choose(PARAMS, {"dataset": dataset})
    dvc("repro", "baseline")
    entries: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for number, model in enumerate(params.models, start=1):
        print(f"\n[{number}/{len(params.models)}] {model}", flush=True)
        entry, reason = ENTRIES / params.dataset / f"{model}.json", FAILED / f"{model}.txt"
        reason.unlink(missing_ok=True)
        digest = inputs_sha256(params, model)
        if measured := _measured(entry, digest):
            print("did not change, and is not trained again", flush=True)
            entries.append(measured)
            continue
        entry.unlink(missing_ok=True)
        if not run_module("pipeline.leaderboard_entry", model, digest):
            entries.append(_read(entry))
        elif reason.is_file():
            failed[model] = reason.read_text("utf-8").splitlines()[0]
        else:
            failed[model] = "its process failed; what it printed says why"
    if entries:
        baseline, split = _read(Path("reports/baseline.json")), _read(Path("reports/split.json"))
        _publish(params.dataset, entries, failed, baseline, split["splits"])
    for model, line in failed.items():
        print(f"failed  {model}: {line}")
    if failed:
        raise typer.Exit(1)


def inputs_sha256(params: Params, model: str) -> str:
    """One hash of all that a model's entry depends on: texts, settings, code and libraries.

    Entries are no stages of DVC's, because no two trainings take the same time: their files are
    not the same bits each time.
    """
    settings = {
        "dataset": params.dataset,
        "seed": params.seed,
        "model": params.models[model].model_dump(mode="json"),
        "trainer": params.trainer.model_dump(mode="json"),
        "evaluate": [params.evaluate.bootstrap_samples, params.evaluate.calibration_bins],
    }
    files = [Path("data/split/texts.parquet"), Path("libraries.json"), ENTRY, VOCABULARY]
    if vectors := params.model_copy(update={"model": model}).chosen_vectors:
        named = {name: source.model_dump(mode="json") for name, source in vectors.items()}
        settings["vectors"] = named
        settings["cleaning"] = params.chosen_dataset.clean.steps.model_dump(mode="json")
        own = [Path(each.path) for each in vectors.values() if each.kind == "file"]
        files += [path for path in own if path.is_file()]
    if params.models[model].training.fused:
        files.append(Path("reports/baseline_predictions.parquet"))
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    package = Path(__file__).parents[1]
    code = sorted(path for room in ROOMS for path in (package / room).rglob("*.py"))
    for path in (*files, *code):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _measured(entry: Path, digest: str) -> dict[str, Any]:
    """What an entry holds; nothing where it is missing, damaged or of other inputs."""
    try:
        content = _read(entry)
    except (OSError, ValueError):
        return {}
    same = isinstance(content, dict) and content.get("inputs_sha256") == digest
    return content if same else {}


def _publish(
    dataset: str,
    entries: list[dict[str, Any]],
    failed: dict[str, str],
    baseline: dict[str, Any],
    splits: dict[str, Any],
) -> None:
    """Print the table, and put it, its page and its chart in place together."""
    with doing("making table and chart"):
        from sentigate.evaluation.leaderboard import leaderboard_markdown, leaderboard_table
        from sentigate.reporting.leaderboard_chart import write_leaderboard_chart

        table = leaderboard_table(entries, baseline, splits)
        title = f"{dataset}, test split of {splits['test']['rows']:,} texts"
        scratch = Path(".stage/leaderboard")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        try:
            page = leaderboard_markdown(table, title, baseline["description"], failed)
            (scratch / "leaderboard.md").write_text(page, encoding="utf-8")
            table.insert(0, "dataset", dataset)
            table.to_csv(scratch / "leaderboard.csv", index=False, lineterminator="\n")
            write_leaderboard_chart(table, title, scratch / "leaderboard.png")
            for path in scratch.iterdir():
                path.replace(Path("reports") / path.name)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    _print(table, title)
    print(f"linear baseline: {baseline['description']}")
    print("reports/leaderboard.md, reports/leaderboard.csv, reports/leaderboard.png")


def _print(table: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from sentigate.evaluation.leaderboard import shown

    cells = shown(table)
    printed = Table(title=title)
    for column in cells.columns:
        printed.add_column(column.replace(" ", "\n", 1), justify="right", no_wrap=True)
    printed.columns[0].justify = "left"
    for row in cells.itertuples(index=False, name=None):
        printed.add_row(*row)
    Console(width=200, highlight=False).print(printed)


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
