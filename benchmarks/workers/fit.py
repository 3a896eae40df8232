"""Train with sentigate and Lightning; a round is an epoch.

`python fit.py FOLDER MODEL PRECISION [CHANGES]`: a folder from padded_data, a preset and a
precision of params.yaml, and a JSON object of changes to the preset.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import torch
from presets import preset, train_preset

from sentigate.model.network.batches import load_split
from sentigate.settings.params import TrainerParams
from sentigate.training.hardware import resolve_hardware

FOREVER = {
    "training.max_epochs": 10**6,
    "training.patience": None,
    "training.min_epoch_steps": 0,  # the peers use the same batch size on few rows
}


def main() -> None:
    """Train an epoch for each input line, until the input ends."""
    folder, name, precision = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    changes = json.loads(sys.argv[4]) if sys.argv[4:] else {}
    model = preset(name, changes | FOREVER)
    train = load_split(folder / "train")
    # One row makes validation almost free, because the peers have no validation.
    validation = load_split(folder / "validation").take([0])
    tokens = int(train.lengths.sum())
    steps = -(-len(train.lengths) // model.training.batch_size)
    trainer = TrainerParams(accelerator="cpu", devices=1, precision=precision)
    hardware = resolve_hardware(trainer, model.network)
    start = 0.0

    def wait() -> None:
        nonlocal start
        if not sys.stdin.readline():
            sys.exit()
        start = time.perf_counter()

    def on_epoch(_: object) -> None:
        seconds = time.perf_counter() - start
        figures = {
            "tokens_per_second": tokens / seconds,
            "milliseconds_per_step": 1000 * seconds / steps,
            "precision": hardware.precision,
            "threads": torch.get_num_threads(),
            "environment": {k: v for k, v in os.environ.items() if k.startswith("OMP_")},
        }
        print(json.dumps(figures), flush=True)
        wait()

    wait()
    train_preset(
        model, folder, hardware=hardware, seed=42, validation=validation, on_epoch=on_epoch
    )


if __name__ == "__main__":
    main()
