"""What training costs beside the network: a bare torch loop against ours, and padding.

`python benchmarks/overhead.py`. Same network, batches, precision and threads; the bare loop has its
batches ready in memory, and no Lightning, no figures and no loader.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from measuring import Ratio, Worker, alternate, ratio, write_results
from padded_data import padded_data
from training import WORKERS, Rounds, ours, tokens_per_second

MODEL = "bilstm_from_scratch"  # what the peer trains too: nothing but token ids
ROUNDS = 9
PADDING_LIMIT = 0.03


def against_bare_loop(
    label: str, asked: float, folder: Path, model: str
) -> tuple[Ratio, dict[str, Rounds]]:
    """``fit`` against the same calls on ready tensors, with the precision and threads it chose."""
    with closing(Worker(ours(folder, model, "auto"))) as fit:
        chosen = fit()
        command = [sys.executable, str(WORKERS / "bare_loop.py"), str(folder), model]
        threads = {"OMP_NUM_THREADS": str(chosen["threads"]), **chosen["environment"]}
        with closing(Worker([*command, chosen["precision"]], **threads)) as bare:
            figures = alternate({"bare": bare, "auto": fit}, ROUNDS)
    speeds = {name: tokens_per_second(rounds) for name, rounds in figures.items()}
    return ratio(label, speeds["auto"], speeds["bare"], "tokens/s", asked=asked), figures


def padding_share(folder: Path, batch_size: int = 64) -> float:
    """Share of the positions in an epoch's batches that hold padding."""
    from sentigate.model.network.batches import Batches, load_split

    tokens = positions = 0
    for batch in Batches(load_split(folder / "train"), batch_size, shuffle_seed=42):
        tokens += int(batch.inputs.lengths.sum())
        positions += batch.inputs.ids.numel()
    return 1 - tokens / positions


def _added(label: str, figures: Mapping[str, Rounds]) -> str:
    """What fit costs on top, in words."""
    best = {
        name: min(figure["milliseconds_per_step"] for figure in rounds)
        for name, rounds in figures.items()
    }
    return (
        f"{label}: a step takes {best['bare']:.2f} ms; batching, Lightning and figures add "
        f"{best['auto'] - best['bare']:.2f} ms."
    )


def main() -> None:
    """Measure, and write overhead.json and overhead.md."""
    ratios: list[Ratio] = []
    details: dict[str, Any] = {}
    notes = []
    with padded_data() as make:
        folders = {dataset: make(dataset, MODEL) for dataset in ("vader", "twitter", "imdb")}
        for dataset in ("vader", "twitter"):
            label = f"Bare torch loop, {MODEL} on {dataset}"
            row, figures = against_bare_loop(label, 0.93, folders[dataset], MODEL)
            details[label] = figures
            ratios.append(row)
            notes.append(_added(label, figures))
            write_results(__file__, ratios, details, notes)
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
