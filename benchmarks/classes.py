"""Train the data sets with more than two classes, for the table in docs/results.md.

`python benchmarks/classes.py [DATASET ...]`. Each row is a run of the real pipeline from the start,
in a clone of the last commit, with the own model of the data set and seed 42. Figures of other rows
stay. imdb_8 takes longest, about half an hour.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cells import chance, points
from fresh_run import machine_line, measure_named
from running import ROOT

from sentigate.settings.params import load_params

RESULTS = Path(__file__).with_suffix(".json")
DATASETS = ("twitter_3", "twitter_4", "vader_5", "imdb_8")


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown, a row for each data set."""
    lines = [
        "<!-- benchmarks/classes.md, made by `python benchmarks/classes.py` -->",
        "| `DATASET` | classes | test texts | most common class | linear baseline | network alone "
        "| fused | difference in points (95 % interval), McNemar's p | macro F1: baseline, fused "
        "| steps off, on average: baseline, fused |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [_row(name, run["metrics"]) for name, run in results["datasets"].items()]
    note = (
        "Accuracy, unless named otherwise; seed 42, which is also the seed of the split. "
        f"{machine_line(results['machine'])}. Made by `python benchmarks/classes.py`."
    )
    return "\n".join([*lines, "", note, ""])


def _row(name: str, metrics: dict[str, Any]) -> str:
    fused, network, baseline = (metrics[kind] for kind in ("test", "network", "baseline"))
    gap = metrics["difference"]
    low, high, middle = (points(gap[key]) for key in ("accuracy_low", "accuracy_high", "accuracy"))
    off = [figures.get("mean_absolute_error") for figures in (baseline, fused)]
    cells = [
        f"`{name}`",
        len(metrics["classes"]),
        f"{fused['rows']:,}",
        f"{metrics['majority']['accuracy']:.4f}",
        f"{baseline['accuracy']:.4f}",
        f"{network['accuracy']:.4f}",
        f"**{fused['accuracy']:.4f}**",
        f"{middle} ({low} to {high}), p {chance(gap['p_value'])}",
        f"{baseline['macro_f1']:.4f}, {fused['macro_f1']:.4f}",
        "" if None in off else f"{off[0]:.3f}, {off[1]:.3f}",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Run the named data sets, or all, and write classes.json and classes.md."""
    params = load_params(ROOT / "params.yaml")
    runs = {name: {"dataset": name, "model": params.datasets[name].model} for name in DATASETS}
    measure_named(RESULTS, "datasets", runs, table)


if __name__ == "__main__":
    main()
