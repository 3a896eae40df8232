"""The folder that all processes of one test run share, and things that are made there once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

path = Path()
"""Set by a fixture of tests/conftest.py before the first test."""


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """Return the path of ``name`` here. The first process makes it, and the others wait."""
    made = path / name
    with FileLock(f"{made}.lock"):
        if not made.exists():
            unfinished = path / f"unfinished-{name}"
            make(unfinished)
            unfinished.rename(made)
    return made


def make_database(file: Path) -> None:
    """Create an empty MLflow database, which takes seconds."""
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{file}").search_experiments()
