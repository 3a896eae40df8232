"""What travels into the registry: an MLflow model "from code" that needs neither pickle nor us."""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sentigate.errors import LostModelError, RegistryError
from sentigate.tracking.connection import connect, tracking_uri

from .promotion import TRAINED_ON

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    from mlflow.pyfunc import PyFuncModel

PACKAGES = (
    "mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "tokenizers", "torch",
)  # fmt: skip
Model = Callable[[object], "pd.DataFrame"]
Probabilities = Callable[[Sequence[str]], "npt.NDArray[np.float32]"]


def model_sha256(files: Path, code: Path) -> str:
    """One hash of all that decides what a model answers.

    Args:
        files: what it was packaged with.
        code: what the model carries, which in another version may be other files: ``code_of``.
    """
    digest = hashlib.sha256()
    answering = sorted(path for path in files.iterdir() if path.name != TRAINED_ON)
    for path in (*answering, *sorted(code.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def package_model(files: Path, folder: Path) -> Path:
    """Make an MLflow model in ``folder``, which is empty.

    Args:
        files: a saved model's, and what else is to travel with them.
        folder: gets the model, and scratch files beside it.

    Returns:
        The folder of the model, which ``load_model`` takes.
    """
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    here = Path(__file__).parent
    # Python remembers what a relative folder on its path held in another working directory.
    folder = folder.resolve()
    package = folder / "code/sentigate_model"
    shutil.copytree(here.parent / "model", package, ignore=shutil.ignore_patterns("__pycache__"))
    served = folder / "served_model.py"
    shutil.copyfile(here / served.name, served)
    model = folder / "model"
    # It is shown, and no input is held to it, which would make a table its first column: as with a
    # signature that MLflow takes from a type hint, served_model.py decides.
    answers = {"label": "string", "probability": "float", "note": "string"}
    outputs = Schema([ColSpec(kind, name) for name, kind in answers.items()])
    signature = ModelSignature(Schema([ColSpec("string")]), outputs)
    signature._is_signature_from_type_hint = True
    # MLflow runs the model's file once before it has copied the code folder.
    with _importable(package.parent), _quiet():
        mlflow.pyfunc.save_model(
            path=model,
            python_model=str(served),
            artifacts={"model": str(files)},
            code_paths=[str(package)],
            signature=signature,
            pip_requirements=[f"{name}=={_public_version(name)}" for name in PACKAGES],
            input_example=["A fine film, warm and funny.", "I want my two hours back."],
        )
    for cache in list(model.rglob("__pycache__")):
        shutil.rmtree(cache)
    return model


def load_model(uri: str | Path) -> Model:
    """Load a model from the registry, a run or a folder.

    Returns:
        A function from raw texts, or a table as ``Columns.texts_of`` reads it, to columns label
        (positive or negative), probability (of positive, float32) and note, a row a text.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    return cast("Model", load_pyfunc(str(uri)).predict)


def load_pyfunc(uri: str) -> PyFuncModel:
    """Load a model from the registry, a run or a folder, as MLflow's own tools take it.

    Raises:
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), _quiet():
        return cast("PyFuncModel", mlflow.pyfunc.load_model(uri))


def load_predictor(uri: str) -> Probabilities:
    """The predictor within a model of ours: the same answers, without MLflow's cost at each call.

    Its code is what the model carries, which need not be this version's.

    Returns:
        A function from raw texts to P(positive), (texts,) float32.

    Raises:
        RegistryError: there is no such model, it is none of ours, or MLflow cannot be reached.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        return predictor_of(model_files(uri, Path(folder)))


def code_of(files: Path) -> Path:
    """The code that a model carries, beside what ``model_files`` gave."""
    found = list(files.parents[1].rglob("sentigate_model"))
    if not found:
        raise LostModelError(f"the model has lost its code: {files} is alone")
    return found[0]


def predictor_of(files: Path) -> Probabilities:
    """As ``load_predictor``, from where ``model_files`` has put a model."""
    with _importable(code_of(files).parent):
        predictor = importlib.import_module("sentigate_model.predictor").Predictor(files)
    return cast("Probabilities", predictor)


def model_files(uri: str, folder: Path) -> Path:
    """Fetch the files that a model was packaged with, to look into it with this code.

    Args:
        uri: of a model in the registry or a run.
        folder: an empty one, for all that the model holds.

    Returns:
        Where in it they are.

    Raises:
        LostModelError: its files are gone or damaged, or it is none of ours.
        RegistryError: there is no such model, or MLflow cannot be reached.
    """
    import mlflow

    with _missing(uri), _quiet():
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
    """Say where no model was found."""
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


def _public_version(package: str) -> str:
    """Without a local part: +cpu is on no index but PyTorch's own."""
    return metadata.version(package).split("+")[0]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
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
