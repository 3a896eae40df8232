"""Saying on stderr what goes on, so that nobody waits long without a sign of life."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Literal, NamedTuple

EVERY = 2.0
"""Seconds from one sign of life to the next."""
CLEARED = "\r" + " " * 12 + "\r"


def say(message: str) -> None:
    """One plain line for a person."""
    sys.stderr.write(f"{message}\n")  # in one piece: others may print meanwhile
    sys.stderr.flush()


def doing(what: str) -> None:
    """Say what begins now, and at intervals that it goes on, until ``done`` or something else."""
    say(f"  {what} ...")
    watch(lambda: what)


def watch(state: Callable[[], str]) -> None:
    """Say nothing now, and at intervals what ``state`` gives and for how many seconds.

    Where it gives "", nothing is said. A terminal shows the seconds alone, in place, under the
    line that was printed last.
    """
    done()
    _start(state, time.monotonic())


def watch_stage() -> None:
    """Watch ``python -m pipeline.<stage>`` from its start, and let pipes have each line at once."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    watch(lambda: Path(sys.argv[0]).stem)


def done() -> None:
    """What was watched has ended."""
    global _watch
    if _watch is not None:
        _watch.over.set()
        _watch.thread.join()
        _watch = None


atexit.register(done)  # a thread that prints while Python ends could break it off


@contextmanager
def watching(state: Callable[[], str]) -> Iterator[None]:
    """Watch a part of what is watched already."""
    with _interrupted():
        watch(state)
        yield


@contextmanager
def _interrupted() -> Iterator[None]:
    """What is watched already is not shown meanwhile."""
    whole = _watch
    done()
    try:
        yield
    finally:
        done()
        if whole:
            _start(whole.state, whole.since)


class _Watch(NamedTuple):
    state: Callable[[], str]
    since: float
    over: threading.Event
    thread: threading.Thread


_watch: _Watch | None = None


def _start(state: Callable[[], str], since: float) -> None:
    global _watch
    over = threading.Event()
    thread = threading.Thread(target=_show, args=(state, since, over), daemon=True)
    _watch = _Watch(state, since, over, thread)
    thread.start()


def _show(state: Callable[[], str], since: float, over: threading.Event) -> None:
    terminal = sys.stderr.isatty()
    shown = False
    while not over.wait(EVERY):
        what, seconds = state(), f"{time.monotonic() - since:.0f} s"
        if not what:
            continue
        if terminal:
            # The cursor is left at the start: what is printed next, by anyone, covers this.
            sys.stderr.write(f"  {seconds}\r")
            sys.stderr.flush()
            shown = True
        else:
            say(f"  {what}: {seconds}")
    if shown:
        sys.stderr.write(CLEARED)
        sys.stderr.flush()


@contextmanager
def progress(
    label: str, total: int | None, unit: Literal["bytes", "reviews", "words"]
) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, plain lines elsewhere.

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
    with _interrupted(), shown as bar:
        task = bar.add_task(label, total=total)
        yield lambda units: bar.advance(task, units)
