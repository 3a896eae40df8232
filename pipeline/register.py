"""register: add a version to the MLflow registry, once the packaged model predicts raw texts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.stage import GateInput, StageRun, run
from sentigate import artifacts
from sentigate.data.stage_files import read_json, read_table
from sentigate.data.training_files import read_model
from sentigate.evaluation.difference import beside_baseline
from sentigate.files import sha256_of
from sentigate.model.answers import table_columns
from sentigate.model.model_files import LINEAR_FILES, NETWORK_FILES
from sentigate.model.saved_model import SavedModel
from sentigate.progress import doing
from sentigate.registry.loading import code_of, load_predict, predictor_of
from sentigate.registry.package import model_sha256, package_model
from sentigate.registry.promotion import Standing, promote
from sentigate.registry.training_keys import TRAINED_ON, training_keys, unseen
from sentigate.registry.versions import (
    FILES_TAG,
    MODEL_TAG,
    SPLIT_TAG,
    TABLE_TAG,
    WEIGHTS_TAG,
    add_version,
    find_whole,
    model_name,
)
from sentigate.settings.columns import columns_of
from sentigate.settings.params import Params
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.training_run import finish_training_run, log_refusal

CHECKED_ROWS = 200


def register_model(stage: StageRun) -> GateInput:
    """Write the registration: the version, its alias, and the reason for the alias."""
    params, rule = stage.params, stage.params.chosen_dataset.split.rule
    classes = params.chosen_dataset.classes
    raw = read_table(artifacts.RAW_TEXTS, ["id", "text"]).rename(columns={"text": "raw"})
    rows = read_table(artifacts.SPLIT_TEXTS, ["id", "group", "label", "split"])
    rows = rows.merge(raw, on="id", validate="one_to_one")
    keys = training_keys(rows, rule)
    model = read_model()
    files = _model_files(stage, model, keys)
    with doing("packaging the model and loading it"):
        package = package_model(files, stage.folder(Path("bundle/made")))
        served = load_predict(package)

    predictions = read_table(artifacts.PREDICTIONS)
    checked = predictions.loc[predictions["split"] == "test"].head(CHECKED_ROWS)
    checked = checked.merge(raw, on="id", validate="one_to_one")
    answers = served(checked["raw"].tolist())
    served_probabilities = answers[[f"probability_{name}" for name in classes.names]].to_numpy()
    difference = np.abs(served_probabilities - table_columns(checked)).max(axis=1)

    @doing("registering in MLflow")
    def publish(passed: bool) -> None:
        if not passed:
            log_refusal(params)
            return
        tracked, tags = _complete(params)
        name = model_name(params.table)
        tags[FILES_TAG] = model_sha256(files)
        tags[MODEL_TAG] = model_sha256(files, code_of(package / "artifacts/files"))
        version = find_whole(name, tags[MODEL_TAG]) or add_version(tracked, package, name, tags)
        print(f"  {name} version {version.version} holds the model")
        validation = rows.loc[rows["split"] == "validation"]
        validation = validation.loc[unseen(validation, rule, keys)]
        standing = _standing(
            predictions.loc[predictions["id"].isin(validation["id"])],
            params.register_.significance_level,
            fused=model.linear is not None,
        )
        with doing("comparing with the champion"):
            registration = promote(
                version,
                predictor_of(package / "artifacts/files"),
                validation,
                rule,
                params.register_,
                standing,
            )
        shutil.rmtree(stage.out / "bundle")
        stage.write_json(registration, artifacts.REGISTRATION)
        tracked.log_files([stage.out / "reports"], stage.out)

    return GateInput(
        checked.assign(
            served_label=answers["label"],
            evaluated_label=[classes.names[label] for label in checked["predicted"]],
            difference=difference,
        ),
        {
            "classes": list(classes.names),
            "max_served_difference": params.gates.max_served_difference,
        },
        after_gate=publish,
    )


def _model_files(stage: StageRun, model: SavedModel, trained_on: Any) -> Path:
    """Copy the files of a registered model to one folder, and return the folder."""
    folder = stage.folder(Path("bundle/files"))
    linear = LINEAR_FILES if model.linear else ()
    for name in (*NETWORK_FILES, *linear):
        shutil.copyfile(artifacts.TRAINED_MODEL / name, folder / name)
    np.save(folder / TRAINED_ON, trained_on, allow_pickle=False)
    columns_of(stage.params.chosen_dataset.source).save(folder)
    return folder


def _standing(predictions: pd.DataFrame, level: float, fused: bool) -> Standing:
    """Compare the model, and its network alone, with the linear baseline.

    Args:
        predictions: rows of ``artifacts.PREDICTIONS``; the gate checks that the registered model
            predicts the same.
        level: significance level of the test.
        fused: whether the model has a linear part, so that its answers differ from its network's.
    """
    model, network = (
        beside_baseline(
            predictions["label"].to_numpy(),
            predictions[column].to_numpy(),
            predictions["baseline_predicted"].to_numpy(),
            whose=whose,
            level=level,
        )
        for whose, column in (
            ("The model", "predicted"),
            ("The network alone", "network_predicted"),
        )
    )
    shown = [model, network] if fused else [model]
    shown.sort(key=lambda beside: not beside.worse)  # the worse one first, as in a warning
    return Standing(model.worse, network.worse, " ".join(beside.sentence for beside in shown))


def _complete(params: Params) -> tuple[EndedRun, dict[str, str]]:
    """Complete the training's run, and return it with the tags for its version."""
    with read_json(artifacts.METRICS_REPORT) as metrics:
        figures = {
            f"{name}.{key}": str(metrics[name][key])
            for name, key in (
                ("test", "accuracy"),
                ("network", "accuracy"),
                ("baseline", "accuracy"),
                ("validation", "log_loss"),
            )
        }
    with read_json(artifacts.BASELINE_REPORT) as report:
        linear = report["chosen"]
    tracked = finish_training_run(params, metrics)
    return tracked, {
        "dataset": params.dataset,
        "model": params.model,
        "split": params.chosen_dataset.split.rule,
        "seed": str(params.seed),
        "git_commit": tracked.tags().get("git_commit", "unknown"),  # commit of the training
        "raw_sha256": sha256_of(artifacts.RAW_TEXTS.path),
        SPLIT_TAG: sha256_of(artifacts.SPLIT_TEXTS.path),
        WEIGHTS_TAG: sha256_of(artifacts.TRAINED_WEIGHTS),
        TABLE_TAG: params.table_source,
        "baseline": linear,
        **figures,
    }


if __name__ == "__main__":
    run("register", register_model)
