"""Accuracy and time of the default model on each data set: the README's results table.

Each data set is run from nothing by the real pipeline, in a clone of the last commit:
`python benchmarks/accuracy.py [DATASET ...]`. Figures of data sets that are not named stay.
The test split is judged once; nothing was chosen by it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fresh_run import machine, machine_line, run_pipeline

HERE = Path(__file__).parent
RESULTS = HERE / "accuracy.json"
DATASETS = ("vader", "twitter", "imdb")


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
    lines += [
        "",
        f"Test accuracy, seed 42, judged once. {machine_line(results['machine'])}. "
        "Made by `python benchmarks/accuracy.py`.",
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
        result = run_pipeline({"dataset": name})
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
