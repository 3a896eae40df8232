"""Run the commands of benchmarks; a failed command is reported in one line."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentigate.progress import watching

ROOT = Path(__file__).parents[1]


class MeasurementError(SystemExit):
    """A failed measurement. If a script does not catch it, the script ends with its message."""


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, and capture its stderr.

    Args:
        command: The command, as ``subprocess.run`` takes it.
        options: Further arguments of ``subprocess.run``.

    Raises:
        MeasurementError: The exit status is not 0.
    """
    with watching(lambda: f"running {_short(command)}"):
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode:
        raise failure(command, done.returncode, done.stderr)
    return done


def failure(command: Sequence[str], status: int, said: str) -> MeasurementError:
    """Build the error for a failed command, from sentigate's message or else the last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # DVC adds its own lines.
    ours = [line for line in lines if line.startswith(("sentigate ", "sentigate:"))]
    reason = (ours or lines or ["it printed nothing"])[-1]
    return MeasurementError(f"`{_short(command)}` ended with {status}: {reason}")


def _short(command: Sequence[str]) -> str:
    words = " ".join([Path(command[0]).name, *command[1:]]).split()
    return " ".join(words)[:120]


def clone_to(folder: Path) -> None:
    """Clone the last commit to ``folder``."""
    run(["git", "clone", "--quiet", str(ROOT), str(folder)])
