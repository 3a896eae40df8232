"""Measure how many wrong labels are found: flip some labels of a data set, and look for them.

`python benchmarks/suspects.py`, about two minutes. The data set has wrong labels of its own, which
count as false alarms here. So the precision is that of the flipped labels alone, and too low.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cells import spread
from fresh_run import machine, machine_line

from sentigate.data.filtering import label_and_clean
from sentigate.evaluation.suspects import find_suspects
from sentigate.settings.params import load_params
from sentigate.sources import read_source

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_suffix(".json")
DATASETS, SHARE, SEEDS = ("vader", "vader_5"), 0.05, (1, 2, 3)
TOP = 100
"""The most suspect rows, which a person would read first."""

Figures = dict[str, float]


def texts_of(dataset: str) -> tuple[pd.DataFrame, Any]:
    """Return the clean texts of a data set, all as training rows, and its settings."""
    params = load_params(ROOT / "params.yaml")
    entry = params.datasets[dataset]
    raw = read_source(
        entry.source, entry.labels, params.gates.max_text_characters, ROOT / ".cache/archives"
    )
    texts = label_and_clean(raw, entry.labels, entry.classes.names, entry.clean).texts
    return texts.assign(split="train"), (entry.classes, params.care, params.seed)


def flip(labels: pd.Series[int], classes: int, share: float, seed: int) -> pd.Series[int]:
    """Give a random share of the rows another class, each with the same chance."""
    rng = np.random.default_rng(seed)
    chosen = rng.random(len(labels)) < share
    other = (labels + rng.integers(1, classes, len(labels))) % classes
    return labels.mask(chosen, other).astype("int8")


def measure(texts: pd.DataFrame, settings: Any, share: float, seed: int) -> Figures:
    """Flip labels, look for suspects, and compare the two."""
    classes, care, its_seed = settings
    labels = flip(texts["label"], classes.count, share, seed)
    flipped = texts.loc[labels != texts["label"]].set_index("id")["label"]
    began = time.process_time()
    found = find_suspects(texts.assign(label=labels), classes, care, its_seed).table
    seconds = time.process_time() - began
    hit = found["id"].isin(flipped.index)
    right = [classes.names[flipped[row_id]] for row_id in found.loc[hit, "id"]]
    return {
        "rows": len(texts),
        "flipped": len(flipped),
        "suspects": len(found),
        "precision": float(hit.mean()),
        "top_precision": float(hit.head(TOP).mean()),
        "recall": float(hit.sum() / max(len(flipped), 1)),
        "right_class": sum(found.loc[hit, "suggested"] == right) / max(len(right), 1),
        "cpu_seconds": seconds,
    }


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "<!-- benchmarks/suspects.md, made by `python benchmarks/suspects.py` -->",
        f"| data set | labels | flipped | suspects | flipped ones found | flipped among suspects "
        f"| among the first {TOP} | their class is suggested | CPU seconds |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for dataset, runs in results["datasets"].items():
        columns = {key: [run[key] for run in runs.values()] for key in next(iter(runs.values()))}
        cells = [
            f"{columns['rows'][0]:,}",
            *(f"{np.mean(columns[key]):,.0f}" for key in ("flipped", "suspects")),
            *(spread(columns[key], 3) for key in ("recall", "precision", "top_precision")),
            spread(columns["right_class"], 3),
            f"{np.mean(columns['cpu_seconds']):.1f}",
        ]
        lines.append(f"| {dataset} | {' | '.join(cells)} |")
    unflipped = ", ".join(f"{rows:,} of {name}" for name, rows in results["unflipped"].items())
    note = (
        f"{SHARE:.0%} of the labels flipped to another class; mean, lowest and highest of the "
        f"seeds {', '.join(map(str, SEEDS))}. The data sets have doubtful labels of their own, "
        f"which count as false alarms here: without a flip, {unflipped} are suspect. A random "
        f"choice would have a share of {SHARE:.2f} flipped ones. "
        f"{machine_line(results['machine'])}. Made by `python benchmarks/suspects.py`."
    )
    return "\n".join([*lines, "", note, ""])


def runs() -> Iterator[tuple[str, int, pd.DataFrame, Any]]:
    """Yield data set, seed, texts and settings of each run."""
    for dataset in DATASETS:
        texts, settings = texts_of(dataset)
        for seed in SEEDS:
            yield dataset, seed, texts, settings


def main() -> None:
    """Flip labels, find suspects, and write suspects.json and suspects.md."""
    os.environ.setdefault("SENTIGATE_MIRROR", str(ROOT.parent / "shared/data"))
    found: dict[str, dict[str, Figures]] = {}
    unflipped: dict[str, int] = {}
    for dataset, seed, texts, settings in runs():
        if dataset not in unflipped:
            unflipped[dataset] = int(measure(texts, settings, 0.0, seed)["suspects"])
        figures = measure(texts, settings, SHARE, seed)
        found.setdefault(dataset, {})[str(seed)] = figures
        print(f"{dataset}, {seed}: {figures}", file=sys.stderr)
    results = {"machine": machine(), "unflipped": unflipped, "datasets": found}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
