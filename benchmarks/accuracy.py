"""Accuracy and time of the default model on each data set: the README's results table.

Each data set is run from nothing by the real pipeline, in a clone of the last commit:
`python benchmarks/accuracy.py [DATASET ...]`. Figures of data sets that are not named stay.
The test split is judged once; nothing was chosen by it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "accuracy.json"
DATASETS = ("vader", "twitter", "imdb")
PACKAGES = ("torch", "pytorch-lightning", "scikit-learn", "tokenizers", "dvc", "mlflow")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
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


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds that a command takes; its output goes to stderr."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=sys.stderr)
    return round(time.perf_counter() - start, 1)


def measure(dataset: str) -> dict[str, Any]:
    """Run the pipeline from nothing and read its figures."""
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary, "sentigate")
        subprocess.run(["git", "clone", "--quiet", str(HERE.parent), str(clone)], check=True)
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
        environment["PYTHONPATH"] = str(clone / "src")
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        params = clone / "params.yaml"
        text = params.read_text("utf-8")
        params.write_text(text.replace("dataset: vader", f"dataset: {dataset}", 1), "utf-8")
        data = timed(["dvc", "repro", "pad"], clone, environment)
        rest = timed(["dvc", "repro"], clone, environment)
        idle = timed(["dvc", "repro"], clone, environment)
        metrics = json.loads((clone / "reports/metrics.json").read_text("utf-8"))
        epochs = len((clone / "reports/training.csv").read_text("utf-8").splitlines()) - 1
        split = json.loads((clone / "reports/split.json").read_text("utf-8"))
    return {
        "metrics": metrics,
        "epochs": epochs,
        "splits": split["splits"],
        "seconds": {
            "ingest_to_pad": data,
            "pipeline": round(data + rest, 1),
            "nothing_to_do": idle,
        },
    }


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| data, split | majority | TF-IDF + logistic regression | bilstm (95 % interval) "
        "| epochs | ingest to pad | whole pipeline | command |",
        "|---|---|---|---|---|---|---|---|",
    ]
    rules = {"vader": "grouped", "twitter": "grouped", "imdb": "published"}
    for name, result in results["datasets"].items():
        test, seconds = result["metrics"]["test"], result["seconds"]
        interval = f"{test['accuracy_low']:.4f} – {test['accuracy_high']:.4f}"
        cells = (
            f"{name}, {rules[name]}",
            f"{result['metrics']['majority']['accuracy']:.4f}",
            f"{result['metrics']['baseline']['accuracy']:.4f}",
            f"**{test['accuracy']:.4f}** ({interval})",
            str(result["epochs"]),
            f"{seconds['ingest_to_pad']:.0f} s",
            f"{seconds['pipeline']:.0f} s",
            f"`make train DATASET={name}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    box = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in box["packages"].items())
    lines += [
        "",
        f"Test accuracy, seed 42, judged once. {box['cpu']}, {box['cores']} cores, "
        f"Python {box['python']}; {versions}. Made by `python benchmarks/accuracy.py`.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the data sets named, or all, and write accuracy.json and accuracy.md."""
    names = sys.argv[1:] or list(DATASETS)
    wrong = [name for name in names if name not in DATASETS]
    if wrong:
        sys.exit(f"no such data set: {wrong[0]}; allowed: {', '.join(DATASETS)}")
    for number, name in enumerate(names, 1):
        print(f"{name} ({number} of {len(names)})", file=sys.stderr)
        result = measure(name)
        old = json.loads(RESULTS.read_text("utf-8"))["datasets"] if RESULTS.exists() else {}
        measured = {**old, name: result}
        results = {
            "machine": machine(),
            "datasets": {n: measured[n] for n in DATASETS if n in measured},
        }
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        (HERE / "accuracy.md").write_text(table(results), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
