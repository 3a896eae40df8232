"""One packaged model for all files, as packaging takes seconds, and a registry for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

    from sentigate.tracking.ended_run import EndedRun

Model = Callable[[Any], "pd.DataFrame"]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a saved model that answers negative or positive; only read it."""
    from support.registry import write_files

    return write_files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def package(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return ``files``, packaged; only read it."""
    from sentigate.registry.package import package_model

    return package_model(files, tmp_path_factory.mktemp("packaged"))


@pytest.fixture(scope="session")
def served(package: Path) -> Model:
    """Return the ``predict`` of ``package``, as MLflow loads it."""
    import mlflow

    predict: Model = mlflow.pyfunc.load_model(str(package)).predict
    return predict


@pytest.fixture
def registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_database: Callable[[Path], str]
) -> Path:
    """Make a folder with an empty registry the working directory, and return the folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # Absolute, because MLflow keeps one connection for each URI, even in another folder.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(folder / "mlflow.db"))
    return folder


@pytest.fixture
def run(registry: Path) -> EndedRun:
    """Return an ended run in an empty registry."""
    from support.registry import ended_run

    return ended_run()
