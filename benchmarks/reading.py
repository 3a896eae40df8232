"""Compare two ways to read a long text: its first tokens, or tokens from both ends.

`python benchmarks/reading.py`. One model is trained on a sample of IMDB's training reviews, which
have 231 words on average, and evaluated on the whole validation split. The test split is not used,
because the figures serve to choose `max_length`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cells import spread
from fresh_run import machine, machine_line
from padded_data import padded_data, subset
from running import ROOT
from workers.presets import preset, train_preset

from sentigate.settings.params import load_params
from sentigate.training.hardware import resolve_hardware

RESULTS = Path(__file__).with_suffix(".json")
DATASET, MODEL = "imdb", "bilstm_from_scratch"
ROWS, SEEDS = 3000, (42, 43)
SHORTER = {"training.max_epochs": 6}
READ: dict[str, Any] = {
    "the first 128": 128,
    "the first 64 and the last 64": {"first": 64, "last": 64},
    "the first 32 and the last 96": {"first": 32, "last": 96},
}
"""Description of the tokens read -> ``max_length``."""

Kept = Mapping[str, float]


def train(folder: Path, seed: int) -> Kept:
    """Train on the rows of the folder, and return the figures of the kept epoch."""
    model = preset(MODEL, SHORTER)
    hardware = resolve_hardware(load_params(ROOT / "params.yaml").trainer, model.network)
    epochs = train_preset(model, folder, hardware=hardware, seed=seed).classifier.epochs
    (kept,) = epochs.loc[epochs["kept"] == 1].to_dict("records")
    return {key: round(kept[key], 6) for key in ("validation_accuracy", "validation_loss")}


def table(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [
        "<!-- benchmarks/reading.md, made by `python benchmarks/reading.py` -->",
        "| tokens read | validation accuracy | validation log loss |",
        "|---|---|---|",
    ]
    for name, runs in results["read"].items():
        columns = (
            spread([run[key] for run in runs.values()])
            for key in ("validation_accuracy", "validation_loss")
        )
        lines.append(f"| {name} | {' | '.join(columns)} |")
    note = (
        f"`{MODEL}`, trained on {ROWS:,} reviews of `{DATASET}` for at most "
        f"{SHORTER['training.max_epochs']} epochs; mean, lowest and highest of the seeds "
        f"{', '.join(map(str, SEEDS))}. {machine_line(results['machine'])}. "
        "Made by `python benchmarks/reading.py`."
    )
    return "\n".join([*lines, "", note, ""])


def main() -> None:
    """Train each choice with each seed, and write reading.json and reading.md."""
    with padded_data() as make:
        folders = {
            name: subset(make(DATASET, MODEL, {"max_length": length}), ROWS)
            for name, length in READ.items()
        }
        read: dict[str, dict[str, Kept]] = {name: {} for name in READ}
        for seed in SEEDS:
            for name, folder in folders.items():
                read[name][str(seed)] = train(folder, seed)
                print(f"{name}, {seed}: {read[name][str(seed)]}", file=sys.stderr)
    results = {"machine": machine(), "read": read}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    RESULTS.with_suffix(".md").write_text(table(results), "utf-8")
    print(RESULTS.with_suffix(".md").read_text("utf-8"))


if __name__ == "__main__":
    main()
