"""A whole training by ``training.fit``, with the preset's own settings; prints its figures.

`python train.py FOLDER MODEL SEED PRECISION DEVICES`: a folder of padded_data.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

from sentigate.model.network.batches import load_split
from sentigate.model.network.network import Network
from sentigate.settings.params import TrainerParams, load_params
from sentigate.training.fit import fit
from sentigate.training.hardware import resolve_hardware


def main() -> None:
    """Train once."""
    folder, name, seed, precision, devices = Path(sys.argv[1]), *sys.argv[2:]
    model = load_params(Path(__file__).parents[2] / "params.yaml").models[name]
    vocabulary_size = json.loads((folder / "vocabulary_size.json").read_text("utf-8"))
    trainer = TrainerParams(accelerator="cpu", devices=int(devices), precision=precision)
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        _, epochs = fit(
            partial(Network, model.network, vocabulary_size),
            load_split(folder / "train"),
            load_split(folder / "validation"),
            model.training,
            full_width=model.network.reads_padding,
            seed=int(seed),
            scratch=Path(scratch),
            on_epoch=lambda _: ends.append(time.perf_counter()),
            hardware=resolve_hardware(trainer, model.network),
        )
    figures = {
        "kept_accuracy": float(epochs.loc[epochs["kept"] == 1, "validation_accuracy"].iloc[0]),
        "best_accuracy": float(epochs["validation_accuracy"].max()),
        "epochs": len(epochs),
        # The first epoch also compiles kernels; its start is not seen here.
        "seconds_per_epoch": statistics.median(b - a for a, b in pairwise(ends)),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
