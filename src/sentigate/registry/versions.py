"""Versions in the MLflow registry: one for each model, and an alias for the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sentigate.errors import LostModelError, RegistryError
from sentigate.tracking.connection import connect, mlflow_errors
from sentigate.tracking.ended_run import EndedRun

from .model_package import Probabilities, code_of, model_files, model_sha256, predictor_of
from .promotion import Standing, Verdict, judge, read_keys, unseen

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities.model_registry import ModelVersion

    from sentigate.settings.params import RegisterParams

MODEL_TAG, REASON_TAG, SPLIT_TAG = "model_sha256", "reason", "split_sha256"
WEIGHTS_TAG, TABLE_TAG = "weights_sha256", "table"
WORSE_TAG, NETWORK_WORSE_TAG = "worse_than_baseline", "network_worse_than_baseline"


def model_name(table: str) -> str:
    """The registered model that holds the versions of one table, ``Params.table``."""
    return f"sentigate-{table}"


@mlflow_errors()
def find_version(name: str, tags: Mapping[str, str]) -> ModelVersion | None:
    """The newest version of ``name`` that has all ``tags``."""
    versions: Sequence[ModelVersion] = connect().search_model_versions(f"name = '{name}'")
    matching = [v for v in versions if all(v.tags.get(k) == tag for k, tag in tags.items())]
    return max(matching, key=lambda version: int(version.version), default=None)


@mlflow_errors()
def aliased(name: str, alias: str) -> ModelVersion | None:
    """The version of ``name`` that has the alias."""
    from mlflow.exceptions import MlflowException

    try:
        version: ModelVersion = connect().get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        return None
    return version


def find_whole(name: str, model_sha256: str) -> ModelVersion | None:
    """The newest version of ``name`` that is this very model, if its files are all there."""
    version = find_version(name, {MODEL_TAG: model_sha256})
    return version if version is not None and is_whole(version) else None


def is_whole(version: ModelVersion) -> bool:
    """Whether the version's files are there, and are those that were registered.

    Raises:
        RegistryError: that cannot be told now, because MLflow cannot be reached, say.
    """
    with TemporaryDirectory() as folder:
        try:
            files = model_files(f"models:/{version.name}/{version.version}", Path(folder))
            found = model_sha256(files, code_of(files))
            if MODEL_TAG not in version.tags:  # an older version's, of which no hash is known
                predictor_of(files)
        except LostModelError:
            return False
        except RegistryError:
            raise
        except Exception:  # whatever a damaged file makes the libraries raise
            return False
    return bool(version.tags.get(MODEL_TAG, found) == found)


@mlflow_errors()
def log_model(run: EndedRun, model: Path) -> str:
    """Upload a model that ``package_model`` made, as an output of ``run``, whose times stay.

    Returns:
        MLflow's id of the model.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Metric

    client = run.client
    made_by = client.get_run(run.id)
    logged = client.create_logged_model(
        made_by.info.experiment_id, "model", run.id, params=made_by.data.params
    )
    try:
        client.log_model_artifacts(logged.model_id, str(model))
        # The latest of each figure is the model's too; the run keeps it once.
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
    """Upload a packaged model and make it a version of ``name``: both, or neither."""
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


@mlflow_errors()
def promote(
    version: ModelVersion,
    newcomer: Probabilities,
    rows: pd.DataFrame,
    rule: str,
    settings: RegisterParams,
    standing: Standing,
) -> dict[str, Any]:
    """Make a version the champion if it is the first or found to be better, else the challenger.

    The first version is the champion even where it is worse than the linear baseline, so that
    there is a model to serve; its tags and description say so. The first that is not worse takes
    over from it. The test split takes no part.

    Args:
        version: which, with tag ``split_sha256``.
        newcomer: the version's model, from raw texts to P(positive).
        rows: today's validation texts: columns id, split, group, raw and label.
        rule: of the split.
        settings: the aliases, and the level of the test.
        standing: the version's, beside the linear baseline.

    Returns:
        What reports/registration.json holds: name, version, alias, promoted, reason, and that
        standing as worse_than_baseline, network_worse_than_baseline and beside_baseline.
    """
    best = aliased(version.name, settings.alias)
    _say_standing(version, standing)
    if best is not None and best.version == version.version:
        verdict = Verdict(True, best.tags.get(REASON_TAG, "it is already"))
    else:
        level = settings.significance_level
        verdict = _compare(version, best, newcomer, rows, rule, level, standing.worse)
        _give_alias(version, verdict, settings)
    return {
        "name": version.name,
        "version": int(version.version),
        "alias": settings.alias if verdict.better else settings.challenger_alias,
        "promoted": verdict.better,
        "reason": verdict.reason,
        WORSE_TAG: standing.worse,
        NETWORK_WORSE_TAG: standing.network_worse,
        "beside_baseline": standing.sentence,
    }


def _say_standing(version: ModelVersion, standing: Standing) -> None:
    """In tags and in the description, which the MLflow UI shows above them."""
    client, name, number = connect(), version.name, version.version
    for tag, worse in ((WORSE_TAG, standing.worse), (NETWORK_WORSE_TAG, standing.network_worse)):
        client.set_model_version_tag(name, number, tag, str(worse).lower())
    client.update_model_version(name, number, standing.sentence)


def _compare(
    version: ModelVersion,
    best: ModelVersion | None,
    newcomer: Probabilities,
    rows: pd.DataFrame,
    rule: str,
    level: float,
    worse: bool,
) -> Verdict:
    if best is None:
        alone = int(version.version) == 1
        reason = "the first version" if alone else "no version was the champion"
        return Verdict(
            True, f"{reason}, though worse than the linear baseline" if worse else reason
        )
    before = f"version {best.version}, the champion before,"
    same = best.tags.get(WEIGHTS_TAG, "") == version.tags.get(WEIGHTS_TAG)
    table = best.tags.get(TABLE_TAG)  # an older version's is not known
    if table not in (None, version.tags.get(TABLE_TAG)):
        return Verdict(
            False,
            f"version {best.version} is of another table, {table}: "
            "give this one a name of its own in datasets.X.source.name",
        )
    with TemporaryDirectory() as folder:
        try:
            files = model_files(f"models:/{best.name}/{best.version}", Path(folder))
            keys, champion = read_keys(files), predictor_of(files)
            champion(rows["raw"].head(2).tolist())
        except LostModelError:
            return Verdict(True, f"{before} cannot be loaded")
        except RegistryError:
            raise  # MLflow is away: nobody is better for that
        except Exception as error:  # whatever its own code, of another version, may raise
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            return Verdict(True, f"{before} does not run any more ({reason})")
        if same:
            return Verdict(True, f"the same weights as {before} with today's code")
        if keys is not None:
            rows = rows.loc[unseen(rows, rule, keys)]
        elif best.tags.get(SPLIT_TAG) != version.tags.get(SPLIT_TAG):
            return Verdict(
                False,
                f"version {best.version} does not say what it was trained on, and its split was "
                "another; take its alias away to have this one promoted",
            )
        best_is_worse = best.tags.get(WORSE_TAG) == "true"
        if worse != best_is_worse:
            names = f"version {best.version}", "this version"
            bad, good = names if best_is_worse else names[::-1]
            return Verdict(best_is_worse, f"{bad} is worse than the linear baseline, {good} is not")
        return judge(newcomer, champion, rows, version=str(best.version), level=level)


def _give_alias(version: ModelVersion, verdict: Verdict, settings: RegisterParams) -> None:
    client, name, number = connect(), version.name, version.version
    alias, other = settings.alias, settings.challenger_alias
    client.set_model_version_tag(name, number, REASON_TAG, verdict.reason)
    if not verdict.better:
        client.set_registered_model_alias(name, other, number)
        return
    client.set_registered_model_alias(name, alias, number)
    challenger = aliased(name, other)
    if challenger is not None and challenger.version == number:
        client.delete_registered_model_alias(name, other)
