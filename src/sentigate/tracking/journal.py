"""The journal of a run: a file that keeps the run's entries until MLflow has all of them.

The tracking server may go down during a training, and the training may be killed. The journal
survives both: the next execution sends its entries.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

FOLDER = Path(".tracking")
"""Folder of the journals, beside params.yaml; git and DVC ignore it."""

Entry = dict[str, Any]


def now() -> int:
    """Return the time in MLflow's unit, milliseconds since 1970."""
    return int(time.time() * 1000)


class Journal:
    """A file of entries, one JSON object a line, which its owner locks while it runs.

    Attributes:
        path: the file.
        entries: the entries, oldest first.
        sent: number of entries that this process has sent, counted from the first.
    """

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.sent = 0
        self._file = file
        line = "\n"
        for line in file:
            with suppress(ValueError):  # half a line, after a kill or on a full disk
                self.entries.append(json.loads(line))
        if not line.endswith("\n"):
            file.write("\n")

    def add(self, entry: Entry) -> None:
        """Append an entry and flush it to the file, so that a kill loses no entry."""
        self.entries.append(entry)
        with suppress(OSError):  # a full disk must not stop the training
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def forget(self, key: str) -> None:
        """Remove the entries that have ``key`` from ``entries``; the file keeps them."""
        self.entries = [entry for entry in self.entries if key not in entry]

    def find(self, key: str) -> Any:
        """Return the value of ``key`` in the first entry that has it; None if no entry has it."""
        return next((entry[key] for entry in self.entries if key in entry), None)

    def last_written(self) -> int:
        """Return the time of the last entry, in milliseconds since 1970."""
        return int(self.path.stat().st_mtime * 1000)

    def remove(self) -> None:
        """Delete the file, once MLflow has every entry."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Close and unlock the file, so that the next execution can send it."""
        with suppress(OSError):
            self._file.close()


def new_journal() -> Journal:
    """Create an empty journal, locked by this process."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{time.time_ns()}-{os.getpid()}.jsonl"
    file = path.open("a+", encoding="utf-8")
    with suppress(OSError):  # the file system may have no locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Journal(path, file)


def left_journals() -> Iterator[Journal]:
    """Yield the journals whose owner has ended, oldest first.

    The caller releases or removes each journal.
    """
    for path in sorted(FOLDER.glob("*.jsonl")):
        file = path.open("r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its owner still runs
            file.close()
            continue
        yield Journal(path, file)
