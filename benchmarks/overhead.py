"""Measure the cost of training beside the network: Lightning and loading, vectors, padding.

`python benchmarks/overhead.py [--rounds 9]`. The peer is a bare torch loop with the same network,
batches, precision and threads. Its batches are in memory, and it has no Lightning, figures and
loader.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from measuring import Ratio, Worker, alternate, ratio, write_results
from padded_data import padded_data, subset
from running import ROOT
from training import WORKERS, Rounds, ours, tokens_per_second

from sentigate.settings.params import load_params
from sentigate.training.hardware import resolve_hardware

MODEL = "bilstm_from_scratch"  # the peer also trains it; its only input is token ids
WITH_VECTORS = "bilstm"
VECTOR_ROWS = 3200  # 50 steps
VECTOR_COST = 0.15
ROUNDS = 9
PADDING_LIMIT = 0.03


def against_bare_loop(
    label: str, asked: float, folder: Path, model: str, rounds: int
) -> tuple[Ratio, dict[str, Rounds]]:
    """Compare ``fit`` with the same calls on ready tensors, with its precision and threads."""
    with closing(Worker(ours(folder, model, "auto"))) as fit:
        chosen = fit()
        command = [sys.executable, str(WORKERS / "bare_loop.py"), str(folder), model]
        threads = {"OMP_NUM_THREADS": str(chosen["threads"]), **chosen["environment"]}
        with closing(Worker([*command, chosen["precision"]], **threads)) as bare:
            figures = alternate({"bare": bare, "auto": fit}, rounds)
    speeds = {name: tokens_per_second(each) for name, each in figures.items()}
    return ratio(label, speeds["auto"], speeds["bare"], "tokens/s", asked=asked), figures


def cost_of_vectors(label: str, folder: Path, rounds: int) -> tuple[Ratio, dict[str, Rounds]]:
    """Compare a step with our word vectors and a step with torch's frozen embedding of them."""
    params = load_params(ROOT / "params.yaml")
    precision = resolve_hardware(params.trainer, params.models[WITH_VECTORS].network).precision
    command = [sys.executable, str(WORKERS / "bare_loop.py"), str(folder), WITH_VECTORS, precision]
    with (
        closing(Worker(command, OMP_NUM_THREADS="1")) as own,
        closing(Worker([*command, "frozen"], OMP_NUM_THREADS="1")) as frozen,
    ):
        figures = alternate({"ours": own, "frozen": frozen}, rounds)
    steps = {n: [each["milliseconds_per_step"] for each in of] for n, of in figures.items()}
    asked = round(1 / (1 + VECTOR_COST), 2)
    pair = steps["ours"], steps["frozen"]
    return ratio(label, *pair, "ms/step", asked=asked, lower_is_better=True), figures


def padding_share(folder: Path, batch_size: int = 64) -> float:
    """Return the share of padding among all positions in the batches of an epoch."""
    from sentigate.model.network.batches import Batches, load_split

    tokens = positions = 0
    for batch in Batches(load_split(folder / "train"), batch_size, shuffle_seed=42):
        tokens += int(batch.inputs.lengths.sum())
        positions += batch.inputs.ids.numel()
    return 1 - tokens / positions


def _added(label: str, figures: Mapping[str, Rounds]) -> str:
    """Describe the cost that ``fit`` adds to a step."""
    best = {
        name: min(figure["milliseconds_per_step"] for figure in each)
        for name, each in figures.items()
    }
    return (
        f"{label}: a step takes {best['bare']:.2f} ms; batching, Lightning and figures add "
        f"{best['auto'] - best['bare']:.2f} ms."
    )


def main() -> None:
    """Measure, and write overhead.json and overhead.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    ratios: list[Ratio] = []
    details: dict[str, Any] = {}
    notes = []
    with padded_data() as make:
        folders = {dataset: make(dataset, MODEL) for dataset in ("vader", "twitter", "imdb")}
        sentences = subset(make("vader", WITH_VECTORS), VECTOR_ROWS)
        for dataset in ("vader", "twitter"):
            label = f"Bare torch loop, {MODEL} on {dataset}"
            row, figures = against_bare_loop(label, 0.93, folders[dataset], MODEL, rounds)
            details[label] = figures
            ratios.append(row)
            notes.append(_added(label, figures))
            write_results(__file__, ratios, details, notes)
        label = f"Frozen embedding of torch, {WITH_VECTORS} on vader"
        row, details[label] = cost_of_vectors(label, sentences, rounds)
        ratios.append(row)
        notes.append(
            f"{label}: our word vectors, with their correction and word dropout, make a step "
            f"{100 * (1 / row.ratio - 1):.0f} % longer; under {100 * VECTOR_COST:.0f} % is asked."
        )
        for dataset, folder in folders.items():
            share = padding_share(folder)
            label = f"Share of arithmetic on padding, {dataset}; peer: the limit"
            ratios.append(
                ratio(
                    label, [100 * share], [100 * PADDING_LIMIT], "%", asked=1, lower_is_better=True
                )
            )
    write_results(__file__, ratios, details, notes)


if __name__ == "__main__":
    main()
