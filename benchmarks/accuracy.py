"""Accuracy and time of each data set's own model, trained by the whole pipeline.

Each data set is run from nothing, in a clone of the last commit:
`python benchmarks/accuracy.py [DATASET ...]`. Figures of data sets that are not named stay.
The test split is judged once; nothing was chosen by it. ablation.py has other seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fresh_run import machine_line, measure_named
from running import ROOT

from sentigate.settings.params import load_params

RESULTS = Path(__file__).with_suffix(".json")
DATASETS = ("vader", "twitter", "imdb")


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| data, split | majority | linear baseline | network (95 % interval) "
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
    own = {name: entry.model for name, entry in load_params(ROOT / "params.yaml").datasets.items()}
    runs = {name: {"dataset": name, "model": own[name]} for name in DATASETS}
    measure_named(RESULTS, "datasets", runs, table)


if __name__ == "__main__":
    main()
