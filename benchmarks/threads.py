"""Measure a training step alone and beside processes that each occupy a core.

`python benchmarks/threads.py`. Ours is ``training.engine.fit``. The peer is the same network in
plain torch with default settings. Both use single precision.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from measuring import Worker, alternate, ratio, write_results
from padded_data import padded_data, subset
from training import ours, peer

MODEL = "bilstm_from_scratch"  # the peer also trains it; its only input is token ids
ROUNDS = 5
ROWS = 1280  # 20 steps; with the library's default, each can take seconds
BESIDE = (0, 1, 2)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Start this many processes that run an empty loop; stop them at the end."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def beside(worker: Worker, processes: int) -> Callable[[], dict[str, Any]]:
    """Return a round of the worker beside this many busy processes."""

    def one_round() -> dict[str, Any]:
        with busy(processes):
            return worker()

    return one_round


def main() -> None:
    """Measure both with no, one and two busy processes; write threads.json and threads.md."""
    with padded_data() as make:
        folder = subset(make("vader", MODEL), ROWS)
        with (
            closing(Worker(ours(folder, MODEL, "32-true"))) as fit,
            closing(Worker(peer("plain_torch.py", str(folder)))) as bare,
        ):
            workers = {"ours": fit, "library": bare}
            contenders = {
                f"{name}, {number} busy": beside(worker, number)
                for number in BESIDE
                for name, worker in workers.items()
            }
            figures = alternate(contenders, ROUNDS)
    steps = {
        name: [figure["milliseconds_per_step"] for figure in rounds]
        for name, rounds in figures.items()
    }
    alone, unit = steps["ours, 0 busy"], "ms/step"
    words = {0: "alone", 1: "beside one busy process", 2: "beside two busy processes"}
    ratios = [
        ratio(
            f"A step {words[number]}, against ours alone",
            steps[f"ours, {number} busy"],
            alone,
            unit,
            asked=0.33 if number == 1 else None,
            lower_is_better=True,
        )
        for number in (1, 2)
    ]
    ratios += [
        ratio(
            f"A step {words[number]}, against the library's default",
            steps[f"ours, {number} busy"],
            steps[f"library, {number} busy"],
            unit,
            lower_is_better=True,
        )
        for number in BESIDE
    ]
    notes = ["Both in single precision."]
    notes += [
        f"{name}: time of a step beside one and two busy processes over its time alone: "
        f"{_slower(steps, name, 1)} and {_slower(steps, name, 2)}."
        for name in workers
    ]
    write_results(__file__, ratios, {"milliseconds_per_step": steps}, notes)


def _slower(steps: dict[str, list[float]], name: str, number: int) -> str:
    times = statistics.median(steps[f"{name}, {number} busy"])
    return f"{times / statistics.median(steps[f'{name}, 0 busy']):.1f} times"


if __name__ == "__main__":
    main()
