"""Measure the overhead of the pipeline: imports, gates, database, and start of stages and DVC.

`python benchmarks/startup.py`. It runs the default pipeline from the start in a clone of the last
commit. Then, in the same clone, it runs `dvc repro` with nothing to do, and each stage alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fresh_run import run_pipeline
from measuring import Ratio, alternate, ratio, write_results
from running import ROOT, run

from sentigate.artifacts import STAGES

PARTS = ("imports", "gate", "tracking", "own")
LIBRARIES = ("great_expectations", "mlflow", "pytorch_lightning")
PIPELINE_LIMIT, REPRO_LIMIT = 90.0, 1.5  # seconds
ROUNDS = 5
STAGE_ROUNDS = 3


def timed(command: list[str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a command; return its wall seconds, with start and end of the process, and its stderr."""
    start = time.perf_counter()
    done = run(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
    return {"seconds": time.perf_counter() - start, "stderr": done.stderr}


def stage_parts(stage: str, clone: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Return the median seconds of the parts of a stage, of Python's start and end, and of all."""
    script = ROOT / "benchmarks/workers/stage_parts.py"
    rounds = []
    for _ in range(STAGE_ROUNDS):
        run = timed([sys.executable, str(script), stage], clone, environment)
        parts = json.loads(run["stderr"].splitlines()[-1])
        parts["python"] = run["seconds"] - parts.pop("running")
        rounds.append({**parts, "process": run["seconds"]})
        print(f"  {stage}: {rounds[-1]}", file=sys.stderr)
    return {part: statistics.median(each[part] for each in rounds) for part in rounds[0]}


def import_rounds(library: str, environment: Mapping[str, str]) -> Ratio:
    """Compare importing a library with the settings of the stages and with Python's defaults."""

    def importing(first: str) -> dict[str, Any]:
        code = f"import {first}, {library}"
        return timed([sys.executable, "-c", code], ROOT, environment)

    figures = alternate(
        {"ours": partial(importing, "pipeline"), "python": partial(importing, "sentigate")}, ROUNDS
    )
    ours, python = ([each["seconds"] for each in figures[name]] for name in ("ours", "python"))
    label = f"A process that imports {library}, against Python's own garbage collection"
    return ratio(label, ours, python, "s", lower_is_better=True)


def table(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Return the parts of each stage, and their sums, as Markdown."""
    columns = (*PARTS, "python", "process")
    sums = {part: sum(parts[part] for parts in stages.values()) for part in columns}
    lines = [
        "| stage | imports | gate | MLflow | own work | Python's start and end | process |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, parts in {**stages, "all": sums}.items():
        lines.append(f"| {name} | " + " | ".join(f"{parts[c]:.2f} s" for c in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure all, and write startup.json and startup.md."""
    ratios: list[Ratio] = []
    details: dict[str, Any] = {}
    notes: list[str] = []

    def within(label: str, figures: list[float], limit: float) -> None:
        limits = [limit] * len(figures)
        label += "; peer: the limit"
        ratios.append(ratio(label, figures, limits, "s", asked=1, lower_is_better=True))
        write_results(__file__, ratios, details, notes)

    def in_clone(clone: Path, environment: Mapping[str, str], whole: dict[str, Any]) -> None:
        details["pipeline"] = whole
        accuracy = whole["metrics"]["test"]["accuracy"]
        label = f"Default pipeline from nothing (test accuracy {accuracy:.4f})"
        within(label, [whole["seconds"]["pipeline"]], PIPELINE_LIMIT)
        repro = [sys.executable, "-m", "dvc", "repro"]
        seconds = [timed(repro, clone, environment)["seconds"] for _ in range(ROUNDS)]
        details["repro_seconds"] = seconds
        within("`dvc repro` with nothing to do", seconds, REPRO_LIMIT)
        details["stages"] = {stage: stage_parts(stage, clone, environment) for stage in STAGES}

    run_pipeline({}, in_clone)
    notes += [
        table(details["stages"]),
        f"Seconds of wall time, medians of {STAGE_ROUNDS} runs of each stage with all in place. "
        "Imports are counted wherever they happen; MLflow is its runs, files and registry. In the "
        "pipeline from nothing, which is three calls of `dvc repro`, train makes the database too.",
    ]
    write_results(__file__, ratios, details, notes)
    for library in LIBRARIES:
        ratios.append(import_rounds(library, {**os.environ, "PYTHONPATH": str(ROOT / "src")}))
        write_results(__file__, ratios, details, notes)


if __name__ == "__main__":
    main()
