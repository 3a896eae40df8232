"""Run the real pipeline from the start, in a clone of the last commit."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from running import MeasurementError, clone_to, run

from sentigate import artifacts
from sentigate.settings.yaml_file import read_yaml

PACKAGES = ("torch", "pytorch-lightning", "scikit-learn", "tokenizers", "dvc", "mlflow")


def machine() -> dict[str, Any]:
    """Describe what the figures depend on: processor, Python and packages."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def machine_line(box: dict[str, Any]) -> str:
    """Describe the machine in one line."""
    versions = ", ".join(f"{name} {version}" for name, version in box["packages"].items())
    return f"{box['cpu']}, {box['cores']} cores, Python {box['python']}; {versions}"


def run_pipeline(
    changes: dict[str, Any],
    afterwards: Callable[[Path, dict[str, str], dict[str, Any]], None] = lambda *given: None,
) -> dict[str, Any]:
    """Run all stages with changed values in params.yaml.

    Args:
        changes: Dotted key -> value.
        afterwards: Called with the clone before it is deleted, the environment of the stages, and
            the return value of this function.

    Returns:
        metrics (as in reports/metrics.json), epochs, splits, and seconds of ingest_to_pad, training
        (the train stage), pipeline and nothing_to_do (a repro without changes).

    Raises:
        MeasurementError: A stage failed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary, "sentigate")
        clone_to(clone)
        params = clone / "params.yaml"
        values = read_yaml(params)
        for key, value in changes.items():
            *sections, last = key.split(".")
            section = values
            for name in sections:
                section = section[name]
            section[last] = value
        params.write_text(yaml.safe_dump(values, sort_keys=False), "utf-8")

        def timed(*targets: str) -> float:
            start = time.perf_counter()
            command = [sys.executable, "-m", "dvc", "repro", *targets]
            run(command, cwd=clone, env=environment, stdout=sys.stderr)
            return round(time.perf_counter() - start, 1)

        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
        environment["PYTHONPATH"] = str(clone / "src")
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        data, training, rest, idle = timed("pad"), timed("train"), timed(), timed()
        metrics = json.loads((clone / artifacts.METRICS_REPORT).read_text("utf-8"))
        epochs = len((clone / artifacts.EPOCHS.path).read_text("utf-8").splitlines()) - 1
        split = json.loads((clone / artifacts.SPLIT_REPORT).read_text("utf-8"))
        result = {
            "metrics": metrics,
            "epochs": epochs,
            "splits": split["splits"],
            "seconds": {
                "ingest_to_pad": data,
                "training": training,
                "pipeline": round(data + training + rest, 1),
                "nothing_to_do": idle,
            },
        }
        afterwards(clone, environment, result)
    return result


def measure_named(
    results: Path,
    kind: str,
    runs: Mapping[str, dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
) -> None:
    """Run the pipeline for each name on the command line, or for all, and write the results.

    A failed run does not stop the others; the script then ends with exit code 1.

    Args:
        results: JSON file; figures of other names stay. The table is written beside it as Markdown.
        kind: Key of the figures in the file.
        runs: Name -> changes, as ``run_pipeline`` takes them.
        table: Function from the file's content to Markdown.
    """
    names = sys.argv[1:] or list(runs)
    wrong = [name for name in names if name not in runs]
    if wrong:
        sys.exit(f"no such entry of {kind}: {wrong[0]}; allowed: {', '.join(runs)}")
    failed = []
    for number, name in enumerate(names, 1):
        print(f"{name} ({number} of {len(names)})", file=sys.stderr)
        try:
            result = run_pipeline(runs[name])
        except MeasurementError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        old = json.loads(results.read_text("utf-8"))[kind] if results.exists() else {}
        measured = {**old, name: result}
        content = {"machine": machine(), kind: {n: measured[n] for n in runs if n in measured}}
        results.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        results.with_suffix(".md").write_text(table(content), encoding="utf-8")
    if len(failed) < len(names):
        print(results.with_suffix(".md").read_text("utf-8"))
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")
