"""Run a whole training with ``fit_classifier`` and the settings of a preset; print its figures.

`python train.py FOLDER MODEL SEED PRECISION DEVICES`, with a folder from padded_data.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

from presets import preset, train_preset

from sentigate.settings.params import TrainerParams
from sentigate.training.hardware import resolve_hardware


def main() -> None:
    """Train once, and print the figures."""
    folder, name, seed, precision, devices = Path(sys.argv[1]), *sys.argv[2:]
    model = preset(name)
    trainer = TrainerParams(accelerator="cpu", devices=int(devices), precision=precision)
    ends: list[float] = []
    trained = train_preset(
        model,
        folder,
        hardware=resolve_hardware(trainer, model.network),
        seed=int(seed),
        on_epoch=lambda _: ends.append(time.perf_counter()),
    )
    epochs = trained.classifier.epochs
    figures = {
        "kept_accuracy": float(epochs.loc[epochs["kept"] == 1, "validation_accuracy"].iloc[0]),
        "best_accuracy": float(epochs["validation_accuracy"].max()),
        "epochs": len(epochs),
        # The first epoch also compiles kernels, and its start time is unknown here.
        "seconds_per_epoch": statistics.median(b - a for a, b in pairwise(ends)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
