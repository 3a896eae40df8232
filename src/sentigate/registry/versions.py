"""Versions in the MLflow registry, one for each model: finding, checking and adding them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sentigate.errors import LostModelError, RegistryError
from sentigate.tracking.connection import connect, mlflow_errors
from sentigate.tracking.ended_run import EndedRun

from .loading import code_of, model_files, predictor_of
from .package import model_sha256

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

MODEL_TAG, REASON_TAG, SPLIT_TAG = "model_sha256", "reason", "split_sha256"
WEIGHTS_TAG, TABLE_TAG = "weights_sha256", "table"
FILES_TAG = "files_sha256"
"""Tag with the hash of everything that decides a model's answers, except its code."""
WORSE_TAG, NETWORK_WORSE_TAG = "worse_than_baseline", "network_worse_than_baseline"


def model_name(table: str) -> str:
    """Return the name of the registered model for ``table``, a ``Params.table``."""
    return f"sentigate-{table}"


@mlflow_errors()
def find_version(name: str, tags: Mapping[str, str]) -> ModelVersion | None:
    """Return the newest version of ``name`` that has all ``tags``; None if no version has them."""
    versions: Sequence[ModelVersion] = connect().search_model_versions(f"name = '{name}'")
    matching = [v for v in versions if all(v.tags.get(k) == tag for k, tag in tags.items())]
    return max(matching, key=lambda version: int(version.version), default=None)


@mlflow_errors()
def aliased(name: str, alias: str) -> ModelVersion | None:
    """Return the version of ``name`` that has the alias; None if no version has it."""
    from mlflow.exceptions import MlflowException

    try:
        version: ModelVersion = connect().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return version


def find_whole(name: str, model_sha256: str) -> ModelVersion | None:
    """Return the newest version of ``name`` with this hash, if its files are whole, else None."""
    version = find_version(name, {MODEL_TAG: model_sha256})
    return version if version is not None and is_whole(version) else None


def is_whole(version: ModelVersion) -> bool:
    """Return whether the version's files exist and are the registered ones.

    Raises:
        RegistryError: MLflow does not answer.
    """
    with TemporaryDirectory() as folder:
        try:
            files = model_files(f"models:/{version.name}/{version.version}", Path(folder))
            found = model_sha256(files, code_of(files))
            if MODEL_TAG not in version.tags:  # an older sentigate registered no hash
                predictor_of(files)
        except LostModelError:
            return False
        except RegistryError:
            raise
        except Exception:  # libraries raise all kinds of errors for a damaged file
            return False
    return bool(version.tags.get(MODEL_TAG, found) == found)


@mlflow_errors()
def log_model(run: EndedRun, model: Path) -> str:
    """Upload a packaged model as an output of ``run``; the run's times stay.

    Args:
        run: the run that trained the model.
        model: the folder that ``package_model`` returns.

    Returns:
        MLflow's id of the model.

    Raises:
        RegistryError: MLflow failed; the logged model is deleted.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric

    client = run.client
    made_by = client.get_run(run.id)
    logged = client.create_logged_model(
        made_by.info.experiment_id, "model", run.id, params=made_by.data.params
    )
    try:
        client.log_model_artifacts(logged.model_id, str(model))
        # The model gets the latest value of each figure; the run's own values do not change.
        histories = (client.get_metric_history(run.id, key) for key in made_by.data.metrics)
        latest = [
            max(points, key=lambda point: (point.step, point.timestamp)) for points in histories
        ]
        of_model = [
            Metric(point.key, point.value, point.timestamp, point.step, logged.model_id)
            for point in latest
        ]
        client.log_batch(run.id, metrics=of_model)
        step = max((point.step for point in latest), default=0)
        client.log_outputs(run.id, [LoggedModelOutput(logged.model_id, step)])
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    except BaseException:
        client.delete_logged_model(logged.model_id)
        raise
    return str(logged.model_id)


@mlflow_errors()
def add_version(run: EndedRun, model: Path, name: str, tags: Mapping[str, str]) -> ModelVersion:
    """Upload a packaged model and make it a version of ``name``.

    Args:
        run: the run that trained the model.
        model: the folder that ``package_model`` returns.
        name: the registered model; it is created if it does not exist.
        tags: tags for the version.

    Raises:
        RegistryError: MLflow failed; no version and no model is added.
    """
    from mlflow.exceptions import MlflowException

    client = run.client
    try:
        client.create_registered_model(name, description="Made by sentigate; see the tags.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = log_model(run, model)
    try:
        version: ModelVersion = client.create_model_version(
            name, f"models:/{model_id}", run.id, tags=dict(tags), model_id=model_id
        )
    except BaseException:
        client.delete_logged_model(model_id)
        raise
    return version
