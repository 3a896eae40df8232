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
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from sentigate.errors import LostModelError, RegistryError
from sentigate.model.answers import Probabilities, confidences, predicted_labels
from sentigate.model.columns import Columns
from sentigate.model.labels import BINARY, Classes
from sentigate.tracking.connection import connect, tracking_uri

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel

    from sentigate.model.predictor import Answers

Predict = Callable[[object], "pd.DataFrame"]
"""Takes raw texts, or a table that ``Columns.texts_of`` can read. Returns a row for each text:
label, confidence, a column ``probability_<class name>`` for each class (float32), and note."""


class PredictProba(Protocol):
    """A model that can be compared with another one."""

    @property
    def classes(self) -> Classes:
        """The classes that the model answers."""
        ...

    def __call__(self, texts: Sequence[str], /) -> Probabilities:
        """Return the probabilities of raw texts, (texts, K) float32, in the order of classes."""
        ...


class LoadedModel(PredictProba, Protocol):
    """A registered model, whose own code answers."""

    @property
    def columns(self) -> Columns:
        """The columns that the model was trained on."""
        ...

    def judge(self, texts: Sequence[str], /) -> Answers:
        """Return the answers to raw texts, with notes."""
        ...


def load_predict(uri: str | Path) -> Predict:
    """Return the ``predict`` of a model in the registry, a run or a folder.

    Raises:
        RegistryError: the model does not exist, or MLflow does not answer.
    """
    return cast("Predict", load_pyfunc(str(uri)).predict)


def load_pyfunc(uri: str) -> PyFuncModel:
    """Load a model from the registry, a run or a folder, for MLflow's own tools.

    Raises:
        RegistryError: the model does not exist, or MLflow does not answer.
    """
    import mlflow

    with _missing(uri), quiet():
        return cast("PyFuncModel", mlflow.pyfunc.load_model(uri))


def load_predictor(uri: str) -> LoadedModel:
    """Return the predictor inside a model of sentigate: the same answers without MLflow's cost.

    The predictor runs the code that the model carries, which may be another version of sentigate.

    Raises:
        RegistryError: the model does not exist, sentigate did not make it, or MLflow does not
            answer.
    """
    with TemporaryDirectory() as folder:
        return predictor_of(model_files(uri, Path(folder)))


def code_of(files: Path) -> Path:
    """Return the folder of the code that a model carries.

    Args:
        files: the folder that ``model_files`` returns.

    Raises:
        LostModelError: the model has no code.
    """
    found = list(files.parents[1].rglob("sentigate_model"))
    if not found:
        raise LostModelError(f"the model of {files} has lost its code, the folder sentigate_model")
    return found[0]


def predictor_of(files: Path) -> LoadedModel:
    """Return the predictor of a model, from the folder that ``model_files`` returns.

    Raises:
        LostModelError: the model has no code.
    """
    with importable(code_of(files).parent):
        predictor = importlib.import_module("sentigate_model.predictor").Predictor(files)
    predictor.columns = Columns.load(files)  # today's, which reads the file of any version
    return cast("LoadedModel", predictor) if hasattr(predictor, "classes") else _Older(predictor)


class _Older:
    """A predictor of an older version of sentigate, which knows two classes, as today's predictors.

    Its call returns P(positive), (texts,) float32. The oldest versions have no method ``judge``,
    which returns the notes too.
    """

    def __init__(self, predictor: Any) -> None:
        self.predictor = predictor
        self.classes = BINARY
        self.columns: Columns = predictor.columns

    def __call__(self, texts: Sequence[str], /) -> Probabilities:
        return self.judge(texts).probabilities

    def judge(self, texts: Sequence[str], /) -> Answers:
        from sentigate.model.predictor import Answers  # imports torch, as the model's code does

        if hasattr(self.predictor, "judge"):
            positive, notes = self.predictor.judge(texts)
        else:
            positive, notes = self.predictor(texts), [""] * len(texts)
        probabilities = np.stack([1 - positive, positive], axis=1)
        predicted = predicted_labels(probabilities)
        labels = [self.classes.names[label] for label in predicted]
        return Answers(labels, confidences(probabilities, predicted), probabilities, notes)


def model_files(uri: str, folder: Path) -> Path:
    """Download a model, and return the folder of the files that it was packaged with.

    Args:
        uri: URI of a model in the registry or a run.
        folder: an empty folder for the whole model.

    Returns:
        The folder of the files, inside ``folder``.

    Raises:
        LostModelError: the files are gone or damaged, or sentigate did not make the model.
        RegistryError: the model does not exist, or MLflow does not answer.
    """
    import mlflow

    with _missing(uri), quiet():
        saved = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
    try:
        flavors = mlflow.models.Model.load(saved).flavors
        return Path(saved, flavors["python_function"]["artifacts"]["model"]["path"])
    except Exception as error:  # MLflow's, YAML's, or a missing key
        reason = " ".join(str(error).split())[:200]
        raise LostModelError(
            f"the model at {uri} is not complete, or sentigate did not register it ({reason}). "
            "`make train` registers a model."
        ) from None


@contextmanager
def _missing(uri: str) -> Iterator[None]:
    """Turn a failed download into one message, with the URI and the registry."""
    from mlflow.exceptions import MlflowException

    connect()
    try:
        yield
    except (MlflowException, OSError) as error:
        first = " ".join(str(error).split())
        code = getattr(error, "error_code", "")
        gone = code == "RESOURCE_DOES_NOT_EXIST" or isinstance(error, FileNotFoundError)
        raise (LostModelError if gone else RegistryError)(
            f"no model at {uri} in {tracking_uri()}: {first[:200]}. `make train` registers a model."
        ) from None


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Put the folder of a model's code on Python's path; afterwards, forget the code's modules."""
    _forget()  # MLflow may have loaded another model's code
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
    """Silence MLflow's hints about environments and uv."""
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
