"""Compare training with published loops and Keras, in tokens per second without padding.

`python benchmarks/training.py`. Ours and the peer train the same network on the same rows with the
same batch size, each in its own process. A round is an epoch.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from measuring import PEERS_PYTHON, Ratio, Worker, alternate, ratio, write_results
from padded_data import padded_data, subset
from running import run

ROUNDS = 3
REVIEWS = 640  # T4's loop takes half a minute for them
WORKERS = Path(__file__).parent / "workers"
Rounds = Sequence[Mapping[str, Any]]


def ours(folder: Path, model: str, precision: str) -> list[str]:
    """Return the command that trains with ``fit_classifier``."""
    return [sys.executable, str(WORKERS / "fit.py"), str(folder), model, precision]


def peer(script: str, *arguments: str, python: str | Path = sys.executable) -> list[str]:
    """Return the command of a peer with its library's own settings."""
    # Importing sentigate sets OMP_WAIT_POLICY, which a child process would inherit.
    return ["env", "-u", "OMP_WAIT_POLICY", str(python), str(WORKERS / script), *arguments]


def against_peer(
    label: str, asked: float, folder: Path, model: str, command: Sequence[str]
) -> tuple[list[Ratio], dict[str, Rounds]]:
    """Compare ours, in the precision of ``auto`` and in single precision, with a peer."""
    with ExitStack() as stack:
        commands = {"peer": command} | {p: ours(folder, model, p) for p in ("auto", "32-true")}
        workers = {n: stack.enter_context(closing(Worker(c))) for n, c in commands.items()}
        figures = alternate(workers, ROUNDS)
    speeds = {name: tokens_per_second(rounds) for name, rounds in figures.items()}
    rows = [
        ratio(f"{label}, {name}", speeds[name], speeds["peer"], "tokens/s", asked=asked)
        for name in ("auto", "32-true")
    ]
    return rows, figures


def tokens_per_second(rounds: Rounds) -> list[float]:
    """Return the tokens per second of each round."""
    return [figures["tokens_per_second"] for figures in rounds]


def where_time_goes(folder: Path, model: str) -> str:
    """List the operations that take most of a step's time."""
    command = [sys.executable, str(WORKERS / "step_profile.py"), str(folder), model, "32-true"]
    shares = json.loads(run(command, stdout=subprocess.PIPE).stdout)
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())


def main() -> None:
    """Measure all pairs and write training.json and training.md."""
    ratios: list[Ratio] = []
    details: dict[str, Any] = {}
    notes = [
        "True tokens of a training epoch over its time, medians of the rounds; auto is the "
        f"precision that sentigate chooses here. T4's loop has {REVIEWS} reviews, drawn once for "
        "both. Keras has batches of like length from bucket_by_sequence_length, cached and "
        "shuffled, and padded in front, as is its way, to a multiple of 4, so that it needs no "
        "mask: the fastest of what was tried (masks; multiples of 1, 2 and 8; XLA; bfloat16; "
        "several steps an execution).",
    ]
    with padded_data() as make:
        reviews = subset(make("imdb_random", "t4_bilstm"), REVIEWS)
        tweets = make("twitter_random", "t1_char_lstm")
        sentences = make("vader", "t3_stacked_lstm")
        keras = peer("keras_loop.py", str(sentences), python=PEERS_PYTHON)
        for label, asked, folder, model, command in (
            ("T4's loop", 15, reviews, "t4_bilstm", peer("t4_loop.py", str(reviews))),
            ("T1's loop", 3, tweets, "t1_char_lstm", peer("t1_loop.py", str(tweets))),
            ("Keras, T3's network", 2, sentences, "t3_stacked_lstm", keras),
        ):
            rows, details[label] = against_peer(label, asked, folder, model, command)
            ratios += rows
            write_results(__file__, ratios, details, notes)
            missed = [row.label for row in rows if row.ratio < asked]
            if missed:
                notes.append(
                    f"{' and '.join(missed)}: {asked} times is not met. Of the processor's time in "
                    f"a step of ours in single precision: {where_time_goes(folder, model)}."
                )
                write_results(__file__, ratios, details, notes)


if __name__ == "__main__":
    main()
