"""`make test` prints the running tests when a test takes long."""

from __future__ import annotations

import threading

import pytest
from support import running_tests
from support.running_tests import RunningTests


def test_running_tests_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_tests, "EVERY", 0.01)
    said: list[str] = []
    wrote = threading.Event()

    def write(text: str) -> None:
        said.append(text)
        wrote.set()

    def next_said() -> str:
        for _ in range(2):  # the first line may be older
            wrote.clear()
            assert wrote.wait(60)
        return said[-1]

    plugin = RunningTests(write)
    plugin.pytest_sessionstart()
    assert next_said() == "\n  at work: between tests\n"
    plugin.pytest_runtest_logstart("tests/a/test_b.py::test_c")
    plugin.pytest_runtest_logstart("tests/a/test_d.py::test_e")
    assert next_said() == "\n  at work: test_b.py::test_c, test_d.py::test_e\n"
    plugin.pytest_runtest_logfinish("tests/a/test_b.py::test_c")
    assert next_said() == "\n  at work: test_d.py::test_e\n"
    plugin.pytest_sessionfinish()
    assert not plugin.thread.is_alive()
