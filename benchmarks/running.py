"""Commands that benchmarks run: one that fails is told in one line, its own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentigate.progress import watching

ROOT = Path(__file__).parents[1]


class MeasurementError(SystemExit):
    """Something that cannot be measured; a script that does not catch it ends with its line."""


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it says on stderr is kept back.

    Args:
        command: as ``subprocess.run`` takes it.
        options: more for ``subprocess.run``.

    Raises:
        MeasurementError: it ended with another status than 0.
    """
    with watching(lambda: f"running {_short(command)}"):
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise failure(command, done.returncode, done.stderr)
    return done


def failure(command: Sequence[str], status: int, said: str) -> MeasurementError:
    """The error for a command that failed: what sentigate said, or else its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # DVC adds lines of its own.
    ours = [line for line in lines if line.startswith(("sentigate ", "sentigate:"))]
    reason = (ours or lines or ["it said nothing"])[-1]
    return MeasurementError(f"`{_short(command)}` ended with {status}: {reason}")


def _short(command: Sequence[str]) -> str:
    words = " ".join([Path(command[0]).name, *command[1:]]).split()
    return " ".join(words)[:120]


def clone_to(folder: Path) -> None:
    """Clone the last commit."""
    run(["git", "clone", "--quiet", str(ROOT), str(folder)])
