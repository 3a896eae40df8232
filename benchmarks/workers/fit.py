"""sentigate's own training, Lightning and all; a round is an epoch.

`python fit.py FOLDER MODEL PRECISION`: a folder of padded_data, a preset, and as in params.yaml.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.network.network import Network
from sentigate.settings.params import TrainerParams, load_params
from sentigate.training.fit import fit
from sentigate.training.hardware import resolve_hardware

FOREVER = {"max_epochs": 10**6, "patience": 10**6}


def main() -> None:
    """Train until there is no more line to read."""
    folder, name, precision = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    model = load_params(Path(__file__).parents[2] / "params.yaml").models[name]
    vocabulary_size = json.loads((folder / "vocabulary_size.json").read_text("utf-8"))
    train = load_split(folder / "train")
    # One row: a validation that costs nothing, for the peers have none.
    validation = EncodedSplit(*(array[:1] for array in load_split(folder / "validation")))
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

    with tempfile.TemporaryDirectory() as scratch:
        wait()
        fit(
            partial(Network, model.network, vocabulary_size),
            train,
            validation,
            model.training.model_copy(update=FOREVER),
            full_width=model.network.reads_padding,
            seed=42,
            scratch=Path(scratch),
            on_epoch=on_epoch,
            hardware=hardware,
        )


if __name__ == "__main__":
    main()
