"""How tests are run, and the fixtures that several files share.

There are two layers. A test is slow if it starts a process, trains, or uses MLflow, torch or Great
Expectations; all others are fast, and `make test-fast` runs only the fast ones. Tests are not
marked by hand: tests/support/layers.py has the rule, by a test's folder, its fixtures and the
imports of its file. While a fast test runs, a guard fails it if it starts a process or imports one
of these libraries. In that case add the import or fixture to layers.py, or move the test.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
from support import shared_folder
from support.layers import Guard, is_slow, is_slow_file
from support.params import set_value, tiny_values, write_values
from support.project import ROOT, put_small_table
from support.running_tests import RunningTests

import sentigate  # noqa: F401  (sets how OpenMP waits, before a test imports torch)

# Searching for circles among the objects of all libraries would take a fifth of a run, so the
# collector rests while test files are imported, never looks at what they brought, and comes seldom.
gc.disable()
SELDOM = (100_000, 20, 100)
"""Thresholds of the garbage collector while tests run."""

# Without deadlines, because a shared machine may pause.
hypothesis.settings.register_profile("sentigate", deadline=None)
hypothesis.settings.register_profile("fast", deadline=None, max_examples=5)
hypothesis.settings.load_profile("sentigate")

FAST = "not slow"
"""The value of -m that selects the fast layer."""
GUARD = Guard()

WORKERS_AT_MOST = 6
"""With more workers, some would only wait for the longest file."""
MEMORY_A_WORKER = 3 << 30
FIRST = (
    "tests/test_readme.py",
    "tests/test_instruction_sets.py",
    "tests/cli/test_servers.py",
    "tests/e2e/test_trained_again.py",
    "tests/e2e/test_mlflow_server.py",
    "tests/e2e/test_any_machine.py",
    "tests/e2e/test_what_runs_again.py",
    "tests/insight/test_gradients.py",
    "tests/e2e/test_pipeline.py",
)
"""The longest files start first, so that no worker waits for one of them at the end."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: Any) -> int:
    """Return the number of workers: the usable cores, limited by free memory."""
    process = psutil.Process()
    cores = len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else os.cpu_count()
    fitting = psutil.virtual_memory().available // MEMORY_A_WORKER
    return max(1, min(cores or 1, fitting, WORKERS_AT_MOST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Run a file's tests on one worker, so that its expensive fixtures are set up once.

    Files start in the order of collection.
    """
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.hookimpl(trylast=True)  # after the terminal reporter has been registered
def pytest_configure(config: pytest.Config) -> None:
    """Set hypothesis for the fast layer; with several workers, print the running tests."""
    if config.option.markexpr == FAST:
        hypothesis.settings.load_profile("fast")
    if config.getoption("numprocesses", None):  # this process only collects the workers' reports
        reporter = config.pluginmanager.getplugin("terminalreporter")
        config.pluginmanager.register(RunningTests(reporter.write))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave slow files out of the fast layer, because their imports take longer than its tests."""
    is_test = collection_path.match("test_*.py")
    return (is_test and config.option.markexpr == FAST and is_slow_file(collection_path)) or None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Guard the imports of test files in a run of the fast layer."""
    with GUARD.watching() if collector.config.option.markexpr == FAST else nullcontext():
        return (yield)


@pytest.hookimpl(tryfirst=True)  # before -m selects tests
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow and end-to-end tests, and put the longest files first."""
    for item in items:
        if is_slow(item.path, getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        if item.path.is_relative_to(ROOT / "tests/e2e"):
            item.add_marker("e2e")

    def place(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0]
        return FIRST.index(file) if file in FIRST else len(FIRST)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Let the garbage collector work again, but not on what was imported."""
    gc.freeze()
    gc.set_threshold(*SELDOM)
    gc.enable()
    keep_no_seeds()


def keep_no_seeds() -> None:
    """Make torch.manual_seed quick on a machine without a GPU.

    Otherwise torch keeps each seed for three kinds of accelerators, each with a formatted traceback
    of all of pytest's calls, which takes longer than many a test.
    """
    torch = sys.modules.get("torch")
    if torch is not None and not torch.cuda.is_available():
        for kind in (torch.cuda.random, torch.mtia, torch.xpu.random):
            kind._lazy_call = lambda *arguments, **options: None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a fast test that starts a process or imports a slow library."""
    if item.get_closest_marker("slow"):
        return (yield)
    with GUARD.watching():
        yield
    if GUARD.found:
        pytest.fail(GUARD.found)
    return None


pytest_runtest_setup = pytest_runtest_call


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture
def run_python() -> Callable[..., str]:
    """Return ``support.commands.run_python``, imported only if a test requests it."""
    from support import commands

    return commands.run_python


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers share, and tell it to the functions that need it."""
    shared_folder.path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared_folder.path = shared_folder.path.parent
    return shared_folder.path


@pytest.fixture(scope="session")
def trained(shared: Path, mlflow_database: Callable[[Path], str]) -> tuple[Path, Any]:
    """Return a project in which the whole pipeline ran, and the result of its `dvc repro`.

    All workers share it, so tests only read it. A test that changes files uses ``copy_trained``.
    """
    from support.trained import train_once

    return train_once(shared, mlflow_database)


@pytest.fixture(scope="session")
def mlflow_database(shared: Path) -> Callable[[Path], str]:
    """Return a function that copies an empty MLflow database to a path, and returns its URI.

    MLflow takes seconds to create a database, so all tests get copies of one.
    """
    empty = shared_folder.made_once("empty.db", shared_folder.make_database)

    def put(path: Path) -> str:
        shutil.copyfile(empty, path)
        return f"sqlite:///{path}"

    return put


@pytest.fixture
def small_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that creates a minimal project and makes it the working directory.

    Its keyword arguments are dotted keys of params.yaml, with ``__`` for each dot.
    """

    def make(**changes: object) -> Path:
        values = tiny_values()
        for key, value in changes.items():
            set_value(values, key.replace("__", "."), value)
        write_values(values, tmp_path)
        shutil.copytree(ROOT / "expectations", tmp_path / "expectations", dirs_exist_ok=True)
        put_small_table(tmp_path)
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return make
