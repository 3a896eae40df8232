"""A training step alone and beside processes that occupy a core each, ours and the library's.

`python benchmarks/threads.py`. Ours is ``training.engine.fit`` as it is; the library's default is
the same network in plain torch, in a process where nothing is set. Both in single precision.
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

MODEL = "bilstm_from_scratch"  # what the peer trains too: nothing but token ids
ROUNDS = 5
ROWS = 1280  # 20 steps: the library's default can take seconds for each
BESIDE = (0, 1, 2)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """That many processes that do nothing but turn."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def beside(worker: Worker, processes: int) -> Callable[[], dict[str, Any]]:
    """The worker's round with others busy."""

    def one_round() -> dict[str, Any]:
        with busy(processes):
            return worker()

    return one_round


def main() -> None:
    """Measure both contenders beside none, one and two, and write threads.json and threads.md."""
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
