"""Signs of life on stderr: what goes on is said at once, then every two seconds."""

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
"""Seconds from one sign of life to the next."""
CLEARED = "\r" + " " * 12 + "\r"


def say(message: str) -> None:
    """Print one line on stderr."""
    sys.stderr.write(f"{message}\n")  # in one piece: others may print meanwhile
    sys.stderr.flush()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say that ``what`` begins, and every two seconds that it goes on, until the block ends."""
    say(f"  {what} ...")
    with watching(lambda: what):
        yield


@contextmanager
def watching(state: Callable[[], str]) -> Iterator[None]:
    """Say every two seconds what ``state`` returns, and for how many seconds the block has run.

    Nothing is said where it returns "". The blocks around this one are silent until it ends. A
    terminal shows the seconds alone, in place, under the line that was printed last.
    """
    global _innermost
    outer, signs = _innermost, _Signs(state)
    if outer:
        outer.stop()
    _innermost = signs
    signs.start()
    try:
        yield
    finally:
        signs.stop()
        _innermost = outer
        if outer:
            outer.start()


def watch_stage() -> None:
    """Watch ``python -m pipeline.<stage>`` to its end, and let pipes have each line at once."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    stage = ExitStack()
    stage.enter_context(watching(lambda: Path(sys.argv[0]).stem))
    atexit.register(stage.close)  # a thread that prints while Python ends could break it off


class _Signs:
    """A thread that says what goes on; after a stop it can be started again."""

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
                # The cursor stays at the start of the line, so that the next print covers this.
                sys.stderr.write(f"  {seconds}\r")
                sys.stderr.flush()
                shown = True
            else:
                say(f"  {what}: {seconds}")
        if shown:
            sys.stderr.write(CLEARED)
            sys.stderr.flush()


_innermost: _Signs | None = None


@contextmanager
def progress(
    label: str, total: int | None, unit: Literal["bytes", "reviews", "words"]
) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, plain lines elsewhere.

    Yields:
        A function that takes the number of units done since its last call.
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
