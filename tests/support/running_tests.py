"""Printing the running tests when no result has come for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

EVERY = 2.0


class RunningTests:
    """A plugin for the main process, which collects the reports of the workers."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
        self.running: dict[str, None] = {}  # used as a set in the order of starts
        self.told = threading.Event()
        self.over = False
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self.over:
            if not self.told.wait(EVERY):
                names = [name.rpartition("/")[2] for name in [*self.running]]
                self.write(f"\n  at work: {', '.join(names) or 'between tests'}\n")
            self.told.clear()

    def pytest_sessionstart(self) -> None:
        self.thread.start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.running[nodeid] = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":  # pytest prints a letter
            self.told.set()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.running.pop(nodeid, None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self.over = True
        self.told.set()
        if self.thread.is_alive():
            self.thread.join()
