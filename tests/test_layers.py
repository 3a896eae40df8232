"""The rule by which tests are slow, and the guard that fails slow actions in the other tests."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.layers import Guard, is_slow, is_slow_file
from support.project import ROOT

TESTS = ROOT / "tests"


@pytest.fixture
def guard() -> Guard:
    return Guard()


def test_a_test_is_slow_by_its_folder_its_imports_or_a_fixture() -> None:
    assert is_slow_file(TESTS / "e2e/test_pipeline.py")  # by its folder
    assert is_slow_file(TESTS / "gates/test_validate.py")  # by its imports
    assert not is_slow_file(TESTS / "evaluation/test_metrics.py")
    assert is_slow(TESTS / "evaluation/test_metrics.py", ["tmp_path", "small_project"])
    assert not is_slow(TESTS / "evaluation/test_metrics.py", ["tmp_path"])


@pytest.mark.parametrize(
    ("line", "slow"),
    [
        ("import subprocess", True),
        ("    from mlflow.entities import Metric", True),
        ("from sentigate.gates.validate import validate", True),
        ("from sentigate import training", True),
        ("from support import registry", True),
        ("from sentigate.model.predictor import Predictor", True),
        ("import torch", True),
        ("from sentigate.model.answers import confidences", False),
        ("# import subprocess", False),
        ("import subprocessing", False),
    ],
)
def test_an_import_anywhere_in_a_file_makes_it_slow(
    line: str, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.layers.ROOT", tmp_path)
    file = tmp_path / "tests/test_it.py"
    file.parent.mkdir()
    file.write_text(f"def test_it():\n    pass\n{line}\n", "utf-8")
    assert is_slow_file(file) == slow


@pytest.mark.parametrize(
    "start",
    [
        lambda: subprocess.run([sys.executable, "--version"]),
        lambda: os.system("true"),  # noqa: S605
        lambda: os.fork(),
        lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
        lambda: multiprocessing.get_context("fork").Process(target=print).start(),
    ],
)
def test_the_guard_prevents_starting_a_process(guard: Guard, start: Callable[[], object]) -> None:
    with guard.watching(), pytest.raises(RuntimeError, match="starts a process"):
        start()
    assert "starts a process" in guard.found


@pytest.mark.parametrize("library", ["mlflow", "pytorch_lightning", "great_expectations"])
def test_the_guard_prevents_importing_a_slow_library(
    guard: Guard, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, library, raising=False)
    with guard.watching(), pytest.raises(RuntimeError, match=f"imports {library}"):
        __import__(library)
    assert guard.found


def test_the_guard_watches_only_in_its_block(guard: Guard) -> None:
    with guard.watching():
        import json  # noqa: F401
    assert not guard.found
    assert subprocess.run(["true"]).returncode == 0
