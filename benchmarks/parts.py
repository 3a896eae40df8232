"""What the default model's n-gram part and word vectors cost: a training step, and prediction.

`python benchmarks/parts.py`. The model is measured against itself without them, on vader, each
training in a process of its own; a round is an epoch, or all test texts. Texts are encoded before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import torch
from measuring import Ratio, Worker, alternate, ratio, write_results
from padded_data import Make, padded_data
from prediction import figures, network_alone, without_ngrams
from workers.presets import Changes, fold_groups, preset, read_entries

from sentigate.model.network.batches import load_split
from sentigate.model.network.network import Network
from sentigate.training.ngrams import fit_ngrams

MODEL = "bilstm"
WHOLE = "whole"
WITHOUT: Mapping[str, Changes] = {
    "the n-gram part": {"ngrams": None},
    "it and word vectors": {"ngrams": None, "vocab.vectors": [], "vocab.outside_words": 0},
}
ROUNDS = 5
LIMIT = 1.15
"""Time of the whole model, over that of the same without a part."""
ASKED = round(1 / LIMIT, 2)


def data_of(make: Make) -> dict[str, Path]:
    """The folder of the whole model, and of each that lacks a part."""
    vocabs = {
        name: {key: value for key, value in changes.items() if key.startswith("vocab.")}
        for name, changes in {WHOLE: {}, **WITHOUT}.items()
    }
    return {name: make("vader", MODEL, vocab) for name, vocab in vocabs.items()}


def training(folders: Mapping[str, Path]) -> tuple[list[Ratio], dict[str, Any]]:
    """A step of the whole model, in the precision of ``auto``, against one without a part."""
    script = str(Path(__file__).parent / "workers/fit.py")
    with ExitStack() as stack:
        workers = {}
        for name, folder in folders.items():
            changes = json.dumps(WITHOUT.get(name, {}))
            command = [sys.executable, script, str(folder), MODEL, "auto", changes]
            workers[name] = stack.enter_context(closing(Worker(command)))
        rounds = alternate(workers, ROUNDS)
    times = {name: figures(of, "milliseconds_per_step") for name, of in rounds.items()}
    rows = [
        ratio(
            f"A training step, against one without {name}",
            times[WHOLE], times[name], "ms/step", asked=ASKED, lower_is_better=True,
        )
        for name in WITHOUT
    ]  # fmt: skip
    return rows, rounds


def prediction(folder: Path) -> tuple[list[Ratio], dict[str, Any]]:
    """The whole network, which is not trained, against the same without the n-gram part."""
    model = preset(MODEL)
    assert model.ngrams
    entries, train = read_entries(folder), load_split(folder / "train")
    few_folds = model.ngrams.model_copy(update={"folds": 2})  # what they say of rows is not used
    part = fit_ngrams(train, fold_groups(folder), entries.tokens, few_folds, seed=42).part
    torch.manual_seed(42)
    network = Network(model.network, len(entries.tokens), ngrams=part)
    texts = load_split(folder / "test")
    rounds = alternate(
        {
            WHOLE: network_alone(network, texts),
            "the network alone": network_alone(without_ngrams(network), texts),
        },
        ROUNDS,
    )
    whole, alone = rounds.values()
    rate, p50 = "rows_per_second", "p50_ms"
    rows = [
        ratio(
            "Judging encoded texts, against doing so without the n-gram part",
            figures(whole, rate), figures(alone, rate), "rows/s", asked=ASKED,
        ),
        ratio(
            "the same, one text a call, p50",
            figures(whole, p50), figures(alone, p50), "ms", asked=ASKED, lower_is_better=True,
        ),
    ]  # fmt: skip
    return rows, rounds


def main() -> None:
    """Measure both, and write parts.json and parts.md."""
    with padded_data() as make:
        folders = data_of(make)
        rows, steps = training(folders)
        more, calls = prediction(folders[WHOLE])
    note = (
        f"`{MODEL}` on vader. While it trains, the n-gram part answers a step from what it said of "
        "each row before the first. Word vectors take no time in prediction: they are the same "
        "table of numbers that a network has without them."
    )
    write_results(__file__, [*rows, *more], {"training": steps, "prediction": calls}, [note])


if __name__ == "__main__":
    main()
