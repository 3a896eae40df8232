"""Compare whole trainings with two settings, in turn for each seed."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import Ratio, ratio, write_results
from padded_data import padded_data
from running import run

WORKER = Path(__file__).parent / "workers/train.py"
SEEDS = (42, 7, 1)
MODEL = "bilstm_from_scratch"  # a network without word vectors and linear model

Trainings = dict[str, list[dict[str, Any]]]


def compare(script: str, settings: Mapping[str, Sequence[str]]) -> None:
    """Train with each of two settings on vader and twitter, and write the script's results.

    Args:
        script: ``__file__`` of the benchmark.
        settings: Ours, then the peer's, as ``train_each`` takes them.
    """
    ours, peer = settings
    ratios, notes, details = [], [], {}
    with padded_data() as make:
        folders = {dataset: make(dataset, MODEL) for dataset in ("vader", "twitter")}
        for dataset, folder in folders.items():
            trainings = train_each(folder, settings)
            label = f"{MODEL} on {dataset}, {ours} against {peer.removesuffix(' process')}"
            ratios.append(epoch_ratio(label, trainings, ours, peer))
            notes.append(accuracy_note(dataset, trainings, ours, peer))
            details[dataset] = trainings
            write_results(script, ratios, details, notes)


def train_each(folder: Path, settings: Mapping[str, Sequence[str]]) -> Trainings:
    """Train the model with every seed and setting.

    Args:
        folder: Folder from ``padded_data``.
        settings: Name -> precision and devices, as workers/train.py takes them.

    Returns:
        Name -> figures of workers/train.py, one for each of SEEDS.
    """
    trainings: Trainings = {name: [] for name in settings}
    for seed in SEEDS:
        for name, setting in settings.items():
            command = [sys.executable, str(WORKER), str(folder), MODEL, str(seed), *setting]
            figures = json.loads(run(command, stdout=subprocess.PIPE).stdout)
            print(f"  {name}, seed {seed}: {figures}", file=sys.stderr)
            trainings[name].append(figures)
    return trainings


def epoch_ratio(label: str, trainings: Trainings, ours: str, peer: str) -> Ratio:
    """Compare the time per epoch of two settings."""
    seconds = {name: [f["seconds_per_epoch"] for f in rows] for name, rows in trainings.items()}
    return ratio(label, seconds[ours], seconds[peer], "s/epoch", lower_is_better=True)


def accuracy_note(dataset: str, trainings: Trainings, ours: str, peer: str) -> str:
    """Write the validation accuracies of both settings, and the difference of their means."""
    lines = []
    for key, words in (("best_accuracy", "of the best epoch"), ("kept_accuracy", "as kept")):
        of = {name: [100 * f[key] for f in rows] for name, rows in trainings.items()}
        differences = [a - b for a, b in zip(of[ours], of[peer], strict=True)]
        error = statistics.stdev(differences) / len(differences) ** 0.5
        each = "; ".join(
            f"{name} {', '.join(f'{value:.2f}' for value in values)}" for name, values in of.items()
        )
        lines.append(
            f"{words}: {each}; means differ by {statistics.mean(differences):+.2f} points "
            f"(standard error {error:.2f})"
        )
    seeds = ", ".join(map(str, SEEDS))
    return f"{dataset}, validation accuracy in % with seeds {seeds}, {'; '.join(lines)}."
