"""Saying on stderr what takes longer than a second."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal


def say(message: str) -> None:
    """One plain line for a person."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress(
    label: str, total: int | None, unit: Literal["bytes", "reviews"]
) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, one plain line elsewhere.

    Yields:
        A function to call with the number of units done since its last call.
    """
    if not sys.stderr.isatty():
        size = "size unknown" if total is None else f"{total:,} {unit}"
        say(f"{label} ({size})")
        yield lambda done: None
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
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task, done)
