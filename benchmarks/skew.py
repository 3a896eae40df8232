"""Compare ways to train on skewed classes: weights in the loss, and a threshold.

`python benchmarks/skew.py`, about 15 minutes. Of one data set with two even classes, positive texts
are left out of all three splits, until 1 text in 10 is positive, or 4 in 100. The threshold is
chosen on validation for the macro F1; all figures are of the test split. They choose nothing.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from cells import spread
from fresh_run import machine, machine_line
from padded_data import padded_data
from running import ROOT
from workers.presets import preset, train_preset

from sentigate.evaluation.metrics import classification_figures
from sentigate.model.answers import predicted_labels, probabilities
from sentigate.model.labels import BINARY
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.network.network import Network
from sentigate.model.predictor import has_known_token, network_logits
from sentigate.settings.params import load_params
from sentigate.training.classifier import EMBEDDING
from sentigate.training.hardware import resolve_hardware
from sentigate.training.threshold import choose_threshold

RESULTS = Path(__file__).with_suffix(".json")
DATASET, MODEL, METRIC = "vader", "bilstm", "macro_f1"
SEEDS = (42, 43)
SHORTER = {"training.max_epochs": 4, "training.fused": False}
SHARES = (0.1, 0.04)
"""Shares of positive texts."""
WEIGHTINGS = (None, "effective_number", "inverse_frequency")
SHOWN = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "recall",
    "precision",
    "log_loss",
    "expected_calibration_error",
)
HALF, CHOSEN = "0.5", "chosen"
"""Which threshold."""

Figures = dict[str, Any]


def skewed(split: EncodedSplit, share: float) -> EncodedSplit:
    """Leave out positive rows, evenly, until their share is ``share``."""
    positive, negative = (np.flatnonzero(split.labels == label) for label in (1, 0))
    count = round(len(negative) * share / (1 - share))
    kept = positive[np.linspace(0, len(positive) - 1, count).round().astype(np.int64)]
    return split.take(np.sort(np.concatenate([negative, kept])))


def measure(
    splits: Mapping[str, EncodedSplit], folder: Path, weighting: str | None, seed: int
) -> Figures:
    """Train, and return the test figures with a threshold of 0.5 and with the chosen one."""
    params = load_params(ROOT / "params.yaml")
    model = preset(MODEL, {**SHORTER, "training.class_weights": weighting})
    trained = train_preset(
        model,
        folder,
        hardware=resolve_hardware(params.trainer, model.network),
        seed=seed,
        train=splits["train"],
        validation=splits["validation"],
    )
    weights = trained.classifier.weights
    network = Network.from_weights(model.network, len(weights[EMBEDDING]), weights)
    assert trained.fusion
    chances = {
        name: probabilities(
            trained.fusion(network_logits(network, split), None, has_known_token(split.ids))
        )
        for name, split in splits.items()
        if name != "train"
    }
    threshold = choose_threshold(splits["validation"].labels, chances["validation"], METRIC)
    found: Figures = {"threshold": threshold}
    for name, value in ((HALF, None), (CHOSEN, threshold)):
        figures = classification_figures(
            splits["test"].labels,
            chances["test"],
            BINARY,
            params.evaluate,
            params.seed,
            predicted_labels(chances["test"], value),
        )
        found[name] = {key: figures[key] for key in SHOWN}
    return found


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "<!-- benchmarks/skew.md, made by `python benchmarks/skew.py` -->",
        "| positive texts | class weights | threshold | accuracy | balanced accuracy | macro F1 "
        "| recall | precision | log loss | calibration error |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for share, weightings in results["shares"].items():
        for weighting, runs in weightings.items():
            for which in (HALF, CHOSEN):
                thresholds = [run["threshold"] for run in runs.values()]
                shown = HALF if which == HALF else f"{statistics.mean(thresholds):.2f}"
                cells = (spread([run[which][key] for run in runs.values()], 3) for key in SHOWN)
                lines.append(
                    f"| {float(share):.0%} | {weighting} | {shown} | {' | '.join(cells)} |"
                )
    rows = "; ".join(
        f"{float(share):.0%}: {counts['train']:,}, {counts['validation']:,} and {counts['test']:,}"
        for share, counts in results["rows"].items()
    )
    note = (
        f"`{MODEL}` without the linear baseline, {SHORTER['training.max_epochs']} epochs, on "
        f"`{DATASET}` without most of its positive texts; mean, lowest and highest of the seeds "
        f"{', '.join(map(str, SEEDS))}. Recall and precision are those of the positive texts. Rows "
        f"of training, validation and test, {rows}. {machine_line(results['machine'])}. Made by "
        "`python benchmarks/skew.py`."
    )
    return "\n".join([*lines, "", note, ""])


def trainings() -> Iterator[tuple[float, str | None, int]]:
    """Yield share, weighting and seed of each training."""
    for share in SHARES:
        for weighting in WEIGHTINGS:
            for seed in SEEDS:
                yield share, weighting, seed


def main() -> None:
    """Train on each skewed table, and write skew.json and skew.md."""
    found: dict[str, dict[str, Figures]] = {}
    rows: dict[str, dict[str, int]] = {}
    with padded_data() as make:
        folder = make(DATASET, MODEL)
        whole = {name: load_split(folder / name) for name in ("train", "validation", "test")}
        for share, weighting, seed in trainings():
            splits = {name: skewed(split, share) for name, split in whole.items()}
            rows[str(share)] = {name: len(split.labels) for name, split in splits.items()}
            runs = found.setdefault(str(share), {}).setdefault(weighting or "none", {})
            runs[str(seed)] = measure(splits, folder, weighting, seed)
            print(f"{share}, {weighting}, {seed}: {runs[str(seed)]}", file=sys.stderr)
    results = {"machine": machine(), "rows": rows, "shares": found}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
