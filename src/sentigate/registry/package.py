"""Packaging a model for the registry, as an MLflow model "from code", which needs no pickle."""

from __future__ import annotations

import hashlib
import shutil
from importlib import metadata
from pathlib import Path

from sentigate.model.columns import Columns
from sentigate.model.model_files import DESCRIPTION

from .loading import importable, quiet
from .training_keys import TRAINED_ON

PACKAGES = (
    "mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "tokenizers", "torch",
)  # fmt: skip
EXAMPLE = ["A fine film, warm and funny.", "I want my two hours back."]


def model_sha256(files: Path, code: Path | None = None) -> str:
    """Return one SHA-256 of everything that decides a model's answers.

    Args:
        files: folder of the files that the model was packaged with.
        code: folder of the model's code, from ``code_of``; None leaves the code out.
    """
    digest = hashlib.sha256()
    answering = sorted(path for path in files.iterdir() if path.name != TRAINED_ON)
    for path in (*answering, *sorted(code.rglob("*.py") if code else ())):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def package_model(files: Path, folder: Path) -> Path:
    """Make an MLflow model.

    Args:
        files: folder with the files of a saved model, and the other files to package with them.
        folder: an empty folder for the MLflow model and for scratch files.

    Returns:
        The folder of the MLflow model, for ``load_predict``.
    """
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema, TensorSpec

    from sentigate.model.saved_model import Description  # imports torch

    here = Path(__file__).parent
    # Python caches the content of a relative folder on its path, even if the working directory
    # changes.
    folder = folder.resolve()
    package = folder / "code/sentigate_model"
    shutil.copytree(here.parent / "model", package, ignore=shutil.ignore_patterns("__pycache__"))
    served = folder / "served_model.py"
    shutil.copyfile(here / served.name, served)
    model = folder / "model"
    # MLflow only shows this signature, because it is marked as one from a type hint. If MLflow
    # checked inputs against it, it would reduce a table to its first column; served_model.py checks
    # inputs.
    description = Description.model_validate_json((files / DESCRIPTION).read_text("utf-8"))
    numbers = ["confidence", *(f"probability_{name}" for name in description.classes.names)]
    answers = {"label": "string", **dict.fromkeys(numbers, "float"), "note": "string"}
    outputs = Schema([ColSpec(kind, name) for name, kind in answers.items()])
    inputs: list[ColSpec | TensorSpec] = [ColSpec("string")]
    example: list[str] | pd.DataFrame = EXAMPLE
    columns = Columns.load(files)
    if len(columns.texts) + len(columns.contexts) > 1:
        contexts = [name for name in columns.contexts if name not in columns.texts]
        inputs = [
            *(ColSpec("string", name) for name in columns.texts),
            *(ColSpec("string", name, required=False) for name in contexts),
        ]
        example = pd.DataFrame(dict.fromkeys(columns.texts, EXAMPLE) | dict.fromkeys(contexts, ""))
    signature = ModelSignature(Schema(inputs), outputs)
    signature._is_signature_from_type_hint = True
    # MLflow runs the model's file once before it has copied the code folder.
    with importable(package.parent), quiet():
        mlflow.pyfunc.save_model(
            path=model,
            python_model=str(served),
            artifacts={"model": str(files)},
            code_paths=[str(package)],
            signature=signature,
            pip_requirements=[f"{name}=={_public_version(name)}" for name in PACKAGES],
            input_example=example,
        )
    for cache in list(model.rglob("__pycache__")):
        shutil.rmtree(cache)
    return model


def _public_version(package: str) -> str:
    """Return the version without its local part, as only PyTorch's own index has "+cpu"."""
    return metadata.version(package).split("+")[0]
