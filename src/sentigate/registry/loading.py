"""Loading a registered model, with the code that it carries."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from sentigate.errors import LostModelError, RegistryError
from sentigate.tracking.connection import connect, tracking_uri

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel

Predict = Callable[[object], "pd.DataFrame"]
"""From raw texts, or a table as ``Columns.texts_of`` reads it, to a row for each text: label,
probability of positive (float32) and note."""
PredictProba = Callable[[Sequence[str]], "npt.NDArray[np.float32]"]
"""From raw texts to P(positive), (texts,) float32."""


def load_predict(uri: str | Path) -> Predict:
    """The ``predict`` of a model in the registry, a run or a folder.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    return cast("Predict", load_pyfunc(str(uri)).predict)


def load_pyfunc(uri: str) -> PyFuncModel:
    """Load a model from the registry, a run or a folder, for MLflow's own tools.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), quiet():
        return cast("PyFuncModel", mlflow.pyfunc.load_model(uri))


def load_predictor(uri: str) -> PredictProba:
    """The predictor inside a model of ours: the same answers, without MLflow's cost at each call.

    It runs the code that the model carries, perhaps of another version of sentigate.

    Raises:
        RegistryError: there is no such model, it is none of ours, or MLflow cannot be reached.
    """
    with TemporaryDirectory() as folder:
        return predictor_of(model_files(uri, Path(folder)))


def code_of(files: Path) -> Path:
    """The folder of the code that a model carries, found from its ``model_files``."""
    found = list(files.parents[1].rglob("sentigate_model"))
    if not found:
        raise LostModelError(f"the model has lost its code: {files} is alone")
    return found[0]


def predictor_of(files: Path) -> PredictProba:
    """As ``load_predictor``, from the folder that ``model_files`` gives."""
    with importable(code_of(files).parent):
        predictor = importlib.import_module("sentigate_model.predictor").Predictor(files)
    return cast("PredictProba", predictor)


def model_files(uri: str, folder: Path) -> Path:
    """Fetch the files that a model was packaged with.

    Args:
        uri: URI of a model in the registry or a run.
        folder: an empty folder, for everything that the model holds.

    Returns:
        The folder of the files, inside ``folder``.

    Raises:
        LostModelError: its files are gone or damaged, or it is none of ours.
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), quiet():
        saved = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
    try:
        flavors = mlflow.models.Model.load(saved).flavors
        return Path(saved, flavors["python_function"]["artifacts"]["model"]["path"])
    except Exception as error:  # of MLflow, of YAML, or a key that is not there
        reason = " ".join(str(error).split())[:200]
        raise LostModelError(
            f"the model at {uri} is not whole, or not one that sentigate registered ({reason}). "
            "`make train` registers one."
        ) from None


@contextmanager
def _missing(uri: str) -> Iterator[None]:
    """Name the URI and the registry where no model was found."""
    from mlflow.exceptions import MlflowException

    connect()
    try:
        yield
    except (MlflowException, OSError) as error:
        first = " ".join(str(error).split())
        code = getattr(error, "error_code", "")
        gone = code == "RESOURCE_DOES_NOT_EXIST" or isinstance(error, FileNotFoundError)
        raise (LostModelError if gone else RegistryError)(
            f"no model at {uri} in {tracking_uri()}: {first[:200]}. `make train` registers one."
        ) from None


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Put the code that a model carries on Python's path."""
    _forget()  # another model's code, loaded by MLflow
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget()


def _forget() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == "sentigate_model"]:
        del sys.modules[name]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence MLflow's hints on environments and uv."""
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
