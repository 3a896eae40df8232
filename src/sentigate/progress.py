"""Progress on stderr: a line when a step begins, then one every two seconds, and bars."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Literal

EVERY = 2.0
"""Seconds between two reports."""
CLEARED = "\r" + " " * 12 + "\r"


def say(message: str) -> None:
    """Print one line on stderr."""
    sys.stderr.write(f"{message}\n")  # one write, so that other threads cannot print in between
    sys.stderr.flush()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Print that the step ``what`` begins, and every two seconds that it is still running."""
    say(f"  {what} ...")
    with watching(lambda: what):
        yield


@contextmanager
def watching(state: Callable[[], str]) -> Iterator[None]:
    """Print every two seconds what ``state`` returns, and for how many seconds the block has run.

    If ``state`` returns "", nothing is printed. Outer blocks print nothing until this one ends. A
    terminal shows only the seconds, and overwrites them, under the last printed line.
    """
    global _innermost
    outer, reporter = _innermost, _Reporter(state)
    if outer:
        outer.stop()
    _innermost = reporter
    reporter.start()
    try:
        yield
    finally:
        reporter.stop()
        _innermost = outer
        if outer:
            outer.start()


def watch_stage() -> None:
    """Report on ``python -m pipeline.<stage>`` until it ends, and flush stdout after each line."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    stage = ExitStack()
    stage.enter_context(watching(lambda: Path(sys.argv[0]).stem))
    atexit.register(stage.close)  # a thread that prints while Python exits could abort it


class _Reporter:
    """A thread that prints the state of a block; it can be stopped and started again."""

    def __init__(self, state: Callable[[], str]) -> None:
        self.state = state
        self.since = time.monotonic()

    def start(self) -> None:
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._show, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        self.thread.join()

    def _show(self) -> None:
        terminal = sys.stderr.isatty()
        shown = False
        while not self.over.wait(EVERY):
            what, seconds = self.state(), f"{time.monotonic() - self.since:.0f} s"
            if not what:
                continue
            if terminal:
                # The cursor goes back to the start of the line: the next print overwrites it.
                sys.stderr.write(f"  {seconds}\r")
                sys.stderr.flush()
                shown = True
            else:
                say(f"  {what}: {seconds}")
        if shown:
            sys.stderr.write(CLEARED)
            sys.stderr.flush()


_innermost: _Reporter | None = None


@contextmanager
def progress(
    label: str, total: int | None, unit: Literal["bytes", "reviews", "words"]
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, or else print plain lines.

    Yields:
        A function to call with the number of units done since its last call.
    """
    if not sys.stderr.isatty():
        size = "size unknown" if total is None else f"{total:,} {unit}"
        say(f"{label} ({size})")
        count = 0

        def advance(units: int) -> None:
            nonlocal count
            count += units

        with watching(lambda: f"{label}, {count:,} {unit}"):
            yield advance
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    counter = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counter, TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    with watching(lambda: ""), shown as bar:
        task = bar.add_task(label, total=total)
        yield lambda units: bar.advance(task, units)
