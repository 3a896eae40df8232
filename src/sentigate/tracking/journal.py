"""The journal of a run: a file that keeps the run's entries until MLflow has all of them.

A training may outlive its tracking server, and may be killed itself. The journal outlives both: the
next execution sends the entries that are left.
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
    """Milliseconds since 1970, as MLflow counts time."""
    return int(time.time() * 1000)


class Journal:
    """Entries, one JSON object a line, in a file that its owner locks for as long as it lives.

    Attributes:
        path: the file.
        entries: the entries of the file.
        sent: how many of the entries this process has sent.
    """

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.sent = 0
        self._file = file
        line = "\n"
        for line in file:
            with suppress(ValueError):  # half a line, left by a kill or a full disk
                self.entries.append(json.loads(line))
        if not line.endswith("\n"):
            file.write("\n")

    def add(self, entry: Entry) -> None:
        """Append an entry; a kill loses no entry, unless the disk is full."""
        self.entries.append(entry)
        with suppress(OSError):  # training is worth more than its journal
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()

    def forget(self, key: str) -> None:
        """Drop the entries that have ``key`` from memory; the file keeps them."""
        self.entries = [entry for entry in self.entries if key not in entry]

    def find(self, key: str) -> Any:
        """The value of the first entry that has ``key``; None where there is none."""
        return next((entry[key] for entry in self.entries if key in entry), None)

    def last_written(self) -> int:
        """Time of the last entry, in milliseconds since 1970."""
        return int(self.path.stat().st_mtime * 1000)

    def remove(self) -> None:
        """Delete the file: MLflow has every entry."""
        self.path.unlink(missing_ok=True)
        self.release()

    def release(self) -> None:
        """Leave the file to the next execution."""
        with suppress(OSError):
            self._file.close()


def new_journal() -> Journal:
    """An empty journal, locked by this process."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{time.time_ns()}-{os.getpid()}.jsonl"
    file = path.open("a+", encoding="utf-8")
    with suppress(OSError):  # a file system without locks
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Journal(path, file)


def left_journals() -> Iterator[Journal]:
    """Journals whose owner has ended, oldest first; the caller releases or removes each one."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        file = path.open("r+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its owner is alive
            file.close()
            continue
        yield Journal(path, file)
