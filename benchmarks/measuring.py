"""Measure contenders in turn, so other work on the machine affects all of them equally."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fresh_run import machine, machine_line
from running import ROOT, MeasurementError, failure

from sentigate.progress import watching

PEERS_PYTHON = ROOT / ".cache/peers/bin/python"
"""Python with the other programs of benchmarks/peers.txt; `make bench` makes the environment."""


class Worker:
    """A contender in its own process.

    For each line of input, the process runs one round and prints a JSON object of figures.
    """

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        self.command = command
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (close() does)
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.said,
                text=True,
                env={**os.environ, **environment},
            )
        except OSError as error:  # the peers' environment does not exist
            self.said.close()
            raise MeasurementError(str(error)) from None

    def __call__(self) -> dict[str, Any]:
        """Run one round and return its figures.

        Raises:
            MeasurementError: The process has ended.
        """
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):  # the process has ended; the error is raised below
            print("round", file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            status = self.process.wait()
            self.said.seek(0)
            raise failure(self.command, status, self.said.read())
        figures: dict[str, Any] = json.loads(answer)
        return figures

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):  # the process has already ended
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()


def answer_rounds(one_round: Callable[[], Mapping[str, Any]]) -> None:
    """Run a round for each input line; the main loop of a worker."""
    for _ in sys.stdin:
        print(json.dumps(one_round()), flush=True)


def alternate(
    contenders: Mapping[str, Callable[[], dict[str, Any]]], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Run ``rounds`` rounds of each contender in turn, after one warm-up; return the figures."""
    figures: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            with watching(partial("{}: round {} of {}".format, name, number, rounds)):
                figure = contender()
            print(f"  {name}: round {number} of {rounds}: {figure}", file=sys.stderr)
            if number:
                figures[name].append(figure)
    return figures


class Ratio(NamedTuple):
    """A figure of sentigate beside a peer's, from the same run.

    Attributes:
        label: Description of the comparison.
        ours: Median of sentigate, in ``unit``.
        peer: Median of the peer, in ``unit``.
        ratio: Ratio of the medians, above 1 if sentigate is better.
        low: Smallest ratio of one round.
        high: Largest ratio of one round.
        asked: Goal for the ratio, or None.
        unit: Unit of ``ours`` and ``peer``.
    """

    label: str
    ours: float
    peer: float
    ratio: float
    low: float
    high: float
    asked: float | None
    unit: str


def ratio(
    label: str,
    ours: Sequence[float],
    peer: Sequence[float],
    unit: str,
    *,
    asked: float | None = None,
    lower_is_better: bool = False,
) -> Ratio:
    """Compare the figures of rounds that were measured in turn."""
    power = -1 if lower_is_better else 1
    each = [(a / b) ** power for a, b in zip(ours, peer, strict=True)]
    mine, other = statistics.median(ours), statistics.median(peer)
    return Ratio(label, mine, other, (mine / other) ** power, min(each), max(each), asked, unit)


def write_results(
    script: str, ratios: Sequence[Ratio], details: Mapping[str, Any], notes: Sequence[str] = ()
) -> None:
    """Write <script>.json and, as a table, <script>.md, beside the script.

    A script calls it after each part, so earlier results stay if a later part fails.

    Args:
        script: ``__file__`` of the benchmark.
        ratios: Rows of the table.
        details: All other measurements, for the JSON file.
        notes: Paragraphs below the table.
    """
    box = machine()
    results = {"machine": box, "ratios": [row._asdict() for row in ratios], **details}
    path = Path(script)
    path.with_suffix(".json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    lines = [
        f"<!-- benchmarks/{path.stem}.md, made by `python benchmarks/{path.name}` -->",
        "| measured | ours | peer | ratio (rounds) | asked |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in ratios:
        asked = "" if row.asked is None else f"{row.asked:g}"
        lines.append(
            f"| {row.label} | {_number(row.ours)} {row.unit} | {_number(row.peer)} {row.unit} "
            f"| **{row.ratio:.2f}** ({row.low:.2f} – {row.high:.2f}) | {asked} |"
        )
    lines += ["", *(f"{note}\n" for note in notes), machine_line(box)]
    path.with_suffix(".md").write_text("\n".join(lines) + "\n", "utf-8")


def _number(value: float) -> str:
    """Format a number with three digits or more and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
