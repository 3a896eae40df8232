"""The rule by which tests are slow, and a guard that fails slow actions in the other tests.

torch is slow because importing it takes each worker longer than all fast tests of a room. What
needs no network is tested without it.
"""

from __future__ import annotations

import multiprocessing.process
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from .project import ROOT

SLOW_FOLDERS = {"e2e", "pipeline"}
"""Folders of tests/ in which all tests run stages."""
SLOW_FIXTURES = {"small_project", "run_python", "trained", "mlflow_database"}
"""Fixtures that run stages or start a process."""
LIBRARIES = {"mlflow", "pytorch_lightning", "great_expectations", "torch"}
SLOW_IMPORTS = (
    *("subprocess", "multiprocessing"),
    *LIBRARIES,
    *("dvc", "transformers"),  # importing them takes seconds
    *("sentigate.model.predictor", "sentigate.model.saved_model"),  # import torch
    *("sentigate.evaluation.comparison", "sentigate.evaluation.linear_fit"),  # torch; many fits
    *("sentigate.reporting.write_plots", "sentigate.leaderboard.chart"),  # Matplotlib draws slowly
    *("sentigate.gates.validate", "sentigate.tracking", "sentigate.training", "sentigate.language"),
    "sentigate.sources.word_vectors",  # runs pip
    "sentigate.insight",  # an explanation takes hundreds of passes through a network
    "support.mirror",  # reads whole published data sets
    *("sentigate.registry.versions", "sentigate.registry.promotion", "sentigate.registry.loading"),
    *("support.commands", "support.minilm", "support.registry", "support.trained", "support.vader"),
)
"""Modules that start processes, use one of LIBRARIES, train or draw; submodules are included."""
_IMPORT = re.compile(r"^ *(?:from|import) +([\w.]+)(?: +import +(\w+))?", re.MULTILINE)
_PROCESSES = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}


@cache
def is_slow_file(path: Path) -> bool:
    """Return whether all tests of a file are slow, by its folder or by an import anywhere in it."""
    if SLOW_FOLDERS & set(path.relative_to(ROOT / "tests").parts):
        return True
    for module, name in _IMPORT.findall(path.read_text("utf-8")):
        if any(f"{module}.{name}.".startswith(f"{slow}.") for slow in SLOW_IMPORTS):
            return True
    return False


def is_slow(path: Path, fixtures: Collection[str]) -> bool:
    """Return whether a test is slow, by its file or by a fixture that it requests."""
    return is_slow_file(path) or bool(SLOW_FIXTURES & set(fixtures))


class Guard:
    """Raises an error, while it watches, if a process starts or a slow library is imported."""

    def __init__(self) -> None:
        self.watches = False
        self.found = ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watches:
            return
        if event in _PROCESSES:
            self.stop("starts a process")
        elif event == "import" and str(arguments[0]).partition(".")[0] in LIBRARIES:
            self.stop(f"imports {arguments[0]}")

    def stop(self, found: str) -> None:
        """Raise an error, and store it, because the code under test may catch it."""
        self.found = f"a fast test {found}; tests/support/layers.py says which tests are slow"
        raise RuntimeError(self.found)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch during a block."""
        self.watches, self.found = True, ""
        start = multiprocessing.process.BaseProcess.start
        multiprocessing.process.BaseProcess.start = (  # type: ignore[method-assign]
            lambda process: self.stop("starts a process")
        )
        try:
            yield
        finally:
            self.watches = False
            multiprocessing.process.BaseProcess.start = start  # type: ignore[method-assign]
