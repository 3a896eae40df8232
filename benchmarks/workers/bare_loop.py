"""Train with only the torch calls of sentigate, on ready tensors; a round is an epoch.

`python bare_loop.py FOLDER MODEL PRECISION [frozen]`. The precision is 32-true or bf16-mixed. With
frozen, the word vectors are an untrained embedding of torch, and there is no word dropout. The
environment sets the number of threads and how they wait.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from sentigate.data.word_vectors import read_vectors
from sentigate.model.network.batches import Batches, load_split
from sentigate.model.network.network import Network
from sentigate.settings.model import ModelPreset
from sentigate.settings.params import load_params
from sentigate.training.parallel_directions import read_in_parallel, subnormals_are_zero
from sentigate.training.start import from_vectors, start_network


def make_network(folder: Path, model: ModelPreset, frozen: bool) -> Network:
    """Return the untrained network, with the word vectors of the folder if the model has some."""
    vectors = read_vectors(folder / "vectors.safetensors")
    train = load_split(folder / "train")
    has = vectors.values.shape[1]
    start = from_vectors(vectors, model.training.vector_correction, train) if has else None
    network = start_network(model.network, len(vectors.values), 1, start)
    if frozen:
        values = torch.from_numpy(vectors.values).float()
        network.encoder.embedding = nn.Embedding.from_pretrained(values, freeze=True)
        network.encoder.word_dropout = 0.0
    read_in_parallel(network)
    return network.train()


def make_steps(
    folder: Path, name: str, precision: str, frozen: bool = False
) -> tuple[list[Callable[[], None]], int]:
    """Return the steps of an epoch, and its number of tokens without padding."""
    model = load_params(Path(__file__).parents[2] / "params.yaml").models[name]
    split, training = load_split(folder / "train"), model.training
    torch.manual_seed(42)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    network = make_network(folder, model, frozen)
    optimizer = torch.optim.AdamW(
        [weight for weight in network.parameters() if weight.requires_grad],
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=True,
    )
    full_width = model.network.reads_padding
    batches = list(Batches(split, training.batch_size, shuffle_seed=42, full_width=full_width))

    def step(number: int) -> None:
        batch = batches[number]
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            logits = network(batch.inputs).squeeze(1)
            loss = functional.binary_cross_entropy_with_logits(logits, batch.labels.float())
        optimizer.zero_grad()
        loss.backward()
        if training.gradient_clip:
            nn.utils.clip_grad_norm_(network.parameters(), training.gradient_clip)
        optimizer.step()

    return [lambda n=n: step(n) for n in range(len(batches))], int(split.lengths.sum())


def main() -> None:
    """Train an epoch for each input line."""
    folder, name, precision, *how = sys.argv[1:]
    steps, tokens = make_steps(Path(folder), name, precision, how == ["frozen"])
    for _ in sys.stdin:
        start = time.perf_counter()
        with subnormals_are_zero():
            for step in steps:
                step()
        seconds = time.perf_counter() - start
        figures = {
            "tokens_per_second": tokens / seconds,
            "milliseconds_per_step": 1000 * seconds / len(steps),
        }
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
