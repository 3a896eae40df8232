"""Measuring contenders in turn, so that what else the machine does meets all of them alike."""

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
"""Of an environment with benchmarks/peers.txt, which `make bench` makes: none of it is ours."""


class Worker:
    """A contender in a process of its own.

    It reads lines; for each it does one round and answers one line, a JSON object of figures.
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
        except OSError as error:  # the peers' environment is not there
            self.said.close()
            raise MeasurementError(str(error)) from None

    def __call__(self) -> dict[str, Any]:
        """One round.

        Raises:
            MeasurementError: it has ended.
        """
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):  # it has ended, which is said below
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
        with suppress(BrokenPipeError):  # it has ended by itself
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()


def answer_rounds(one_round: Callable[[], Mapping[str, Any]]) -> None:
    """What a worker does: a round for each line it reads."""
    for _ in sys.stdin:
        print(json.dumps(one_round()), flush=True)


def alternate(
    contenders: Mapping[str, Callable[[], dict[str, Any]]], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Figures of ``rounds`` rounds of each contender, in turn; the first of all is not counted."""
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
    """A figure against a peer's, both of the same run.

    Attributes:
        label: what is compared, in words.
        ours: median, in ``unit``.
        peer: median, in ``unit``.
        ratio: of the medians, above 1 where ours is better.
        low: the smallest ratio of one round.
        high: the largest.
        asked: what the ratio should be at least; None where nothing is asked.
        unit: of ours and peer.
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
    """Compare rounds that were measured in turn."""
    power = -1 if lower_is_better else 1
    each = [(a / b) ** power for a, b in zip(ours, peer, strict=True)]
    mine, other = statistics.median(ours), statistics.median(peer)
    return Ratio(label, mine, other, (mine / other) ** power, min(each), max(each), asked, unit)


def write_results(
    script: str, ratios: Sequence[Ratio], details: Mapping[str, Any], notes: Sequence[str] = ()
) -> None:
    """Write <script>.json and, as a table, <script>.md, beside the script.

    A script calls it after each part, so that what it has measured is there when a later one fails.

    Args:
        script: the benchmark's ``__file__``.
        ratios: its rows.
        details: everything else that was measured, for the JSON file.
        notes: paragraphs under the table.
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
    """Three digits or more, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
