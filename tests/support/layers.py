"""Which tests are slow, by rule, and a guard that holds the others to being fast."""

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
"""Folders of tests/ whose tests run stages."""
SLOW_FIXTURES = {"small_project", "run_python", "trained", "mlflow_database"}
"""Fixtures in which stages run, or that start a process."""
LIBRARIES = {"mlflow", "pytorch_lightning", "great_expectations"}
SLOW_IMPORTS = (
    *("subprocess", "multiprocessing"),
    *LIBRARIES,
    *("dvc", "transformers"),  # seconds to import
    *("sentigate.gates.validate", "sentigate.tracking", "sentigate.training", "sentigate.language"),
    "sentigate.sources.word_vectors",  # by pip
    *("sentigate.registry.versions", "sentigate.registry.promotion", "sentigate.registry.loading"),
    *("support.commands", "support.minilm", "support.registry", "support.trained", "support.vader"),
)
"""Modules that start processes, use one of LIBRARIES or train; the modules below them too."""
_IMPORT = re.compile(r"^ *(?:from|import) +([\w.]+)(?: +import +(\w+))?", re.MULTILINE)
_PROCESSES = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}


@cache
def is_slow_file(path: Path) -> bool:
    """Whether all tests of a file are slow: by its folder, or by what it imports anywhere."""
    if SLOW_FOLDERS & set(path.relative_to(ROOT / "tests").parts):
        return True
    for module, name in _IMPORT.findall(path.read_text("utf-8")):
        if any(f"{module}.{name}.".startswith(f"{slow}.") for slow in SLOW_IMPORTS):
            return True
    return False


def is_slow(path: Path, fixtures: Collection[str]) -> bool:
    """Whether a test is slow: by its file, or by a fixture that it requests."""
    return is_slow_file(path) or bool(SLOW_FIXTURES & set(fixtures))


class Guard:
    """Stops, while it watches, what makes a test slow."""

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
        """Raise an error, and keep it: the code under test may catch it."""
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
