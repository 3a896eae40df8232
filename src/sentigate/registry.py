"""Versions in the MLflow registry: what goes into one, and when one is promoted."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .errors import RegistryError
from .tracking import Run, connect, mlflow_errors, tracking_uri

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.pyfunc import PyFuncModel

# What predictor.py imports, and nothing more: the code that travels inside a model.
CARRIED = (
    "architecture.py",
    "batching.py",
    "cells.py",
    "cleaning.py",
    "cleaning_steps.py",
    "directions.py",
    "dropout.py",
    "inference.py",
    "network.py",
    "padding.py",
    "pooling.py",
    "predictor.py",
    "reading.py",
    "section.py",
)
PACKAGES = (
    "mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "tokenizers", "torch",
)  # fmt: skip


def model_name(dataset: str) -> str:
    """The registered model that holds a data set's versions."""
    return f"sentigate-{dataset}"


@mlflow_errors()
def log_model(run: Run, files: Path, scratch: Path) -> str:
    """Log a model from code to ``run``: no pickle, and it loads without this repository.

    Args:
        run: where it goes.
        files: cleaning.json, tokenizer.json, model.json, weights.safetensors.
        scratch: an empty folder.

    Returns:
        The model's URI.
    """
    import mlflow

    here = Path(__file__).parent
    package = scratch / "sentigate_model"
    package.mkdir()
    for name in ("__init__.py", *CARRIED):
        shutil.copyfile(here / name, package / name)
    shutil.copyfile(here / "served_model.py", scratch / "served_model.py")
    # MLflow runs the model's file once before it has copied the code folder.
    with _importable(scratch), mlflow.start_run(run_id=run.id), _quiet():
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(scratch / "served_model.py"),
            artifacts={"model": str(files)},
            code_paths=[str(package)],
            pip_requirements=[f"{name}=={_public_version(name)}" for name in PACKAGES],
            input_example=["A fine film, warm and funny.", "I want my two hours back."],
        )
    return str(info.model_uri)


def load_model(uri: str) -> Callable[[list[str]], pd.DataFrame]:
    """Load a model from the registry or a run.

    Returns:
        A function from raw texts to columns label (positive or negative), probability (of
        positive, float32) and note, a row a text.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    return cast("Callable[[list[str]], pd.DataFrame]", load_pyfunc(uri).predict)


def load_pyfunc(uri: str) -> PyFuncModel:
    """Load a model from the registry or a run, as MLflow's own tools take it.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), _quiet():
        return cast("PyFuncModel", mlflow.pyfunc.load_model(uri))


def load_predictor(uri: str) -> Callable[[Sequence[str]], npt.NDArray[np.float32]]:
    """The predictor within a model of ours: the same answers, without MLflow's cost at each call.

    Its code is what the model carries, which need not be this version's.

    Returns:
        A function from raw texts to P(positive), (texts,) float32.

    Raises:
        RegistryError: there is no such model, it is none of ours, or MLflow cannot be reached.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        files = model_files(uri, Path(folder))
        (package,) = Path(folder).rglob("sentigate_model")
        with _importable(package.parent):
            predictor = importlib.import_module("sentigate_model.predictor").Predictor(files)
    return cast("Callable[[Sequence[str]], npt.NDArray[np.float32]]", predictor)


def model_files(uri: str, folder: Path) -> Path:
    """Fetch the files that ``log_model`` put into a model, to look into it with this code.

    Args:
        uri: of a model in the registry or a run.
        folder: an empty one, for all that the model holds.

    Returns:
        Where in it cleaning.json, tokenizer.json, model.json and weights.safetensors are.

    Raises:
        RegistryError: there is no such model, it is none of ours, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), _quiet():
        saved = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
        flavors = mlflow.models.Model.load(saved).flavors
    try:
        return Path(saved, flavors["python_function"]["artifacts"]["model"]["path"])
    except KeyError:
        raise RegistryError(f"the model at {uri} is not one that sentigate registered") from None


@contextmanager
def _missing(uri: str) -> Iterator[None]:
    """Say where no model was found."""
    from mlflow.exceptions import MlflowException

    connect()
    try:
        yield
    except (MlflowException, OSError) as error:
        first = " ".join(str(error).split())
        raise RegistryError(
            f"no model at {uri} in {tracking_uri()}: {first[:200]}. `make train` registers one."
        ) from None


@mlflow_errors()
def find_version(name: str, tags: Mapping[str, str]) -> ModelVersion | None:
    """The newest version of ``name`` that has all ``tags``."""
    versions: Sequence[ModelVersion] = connect().search_model_versions(f"name = '{name}'")
    matching = [v for v in versions if all(v.tags.get(k) == tag for k, tag in tags.items())]
    return max(matching, key=lambda version: int(version.version), default=None)


@mlflow_errors()
def champion(name: str, alias: str) -> ModelVersion | None:
    """The version of ``name`` that has the alias."""
    from mlflow.exceptions import MlflowException

    try:
        version: ModelVersion = connect().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return version


@mlflow_errors()
def register(
    run: Run, model_uri: str, name: str, alias: str, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Make a version of ``name`` with ``tags`` and promote it, if the rule says so.

    A version is promoted, that is given the alias, when there is none with it yet, when that one
    was judged on another split, or when its own validation log loss is not higher. The test split
    takes no part.

    Args:
        run: the run that logged the model.
        model_uri: as ``log_model`` gave it.
        name: the registered model.
        alias: the promoted version's.
        tags: among them ``split_sha256`` and ``validation.log_loss``, which the rule reads.

    Returns:
        What reports/registration.json holds: name, version, alias (or null), promoted, reason.
    """
    from mlflow.exceptions import MlflowException

    client = connect()
    try:
        client.create_registered_model(name, description="Made by sentigate; see the tags.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    best = champion(name, alias)
    version = client.create_model_version(name, model_uri, run.id, tags=dict(tags))
    promoted, reason = _judge(tags, best)
    if promoted:
        client.set_registered_model_alias(name, alias, version.version)
    return {
        "name": name,
        "version": int(version.version),
        "alias": alias if promoted else None,
        "promoted": promoted,
        "reason": reason,
    }


def _judge(tags: Mapping[str, str], best: ModelVersion | None) -> tuple[bool, str]:
    if best is None:
        return True, "the first version"
    if best.tags.get("split_sha256") != tags["split_sha256"]:
        return True, f"version {best.version} was judged on another split"
    loss, best_loss = (float(t["validation.log_loss"]) for t in (tags, best.tags))
    comparison = f"validation log loss {loss:.6f}, version {best.version} has {best_loss:.6f}"
    return loss <= best_loss, comparison


def git_commit() -> str:
    """The commit that is checked out, with ``-dirty`` where tracked files differ from it.

    What the pipeline itself rewrites, dvc.lock and the figures, does not count.
    """
    try:
        head = _git("rev-parse", "HEAD")
        inputs = (".", ":!dvc.lock", ":!reports/metrics.json")
        dirty = _git("status", "--porcelain", "--untracked-files=no", "--", *inputs)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-dirty" if dirty else head


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def _public_version(package: str) -> str:
    """Without a local part: +cpu is on no index but PyTorch's own."""
    return metadata.version(package).split("+")[0]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in [n for n in sys.modules if n.split(".")[0] == "sentigate_model"]:
            del sys.modules[name]


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow's hints on environments and uv, which help nobody here."""
    import logging

    logger = logging.getLogger("mlflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
