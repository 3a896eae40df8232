"""The MLflow run of a training, without the stages: what each stage adds, and the status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun
from support.params import tiny_values

from sentigate import artifacts
from sentigate.settings.params import Params, parse_params
from sentigate.tracking.connection import connect
from sentigate.tracking.training_run import (
    RESULTS,
    RESULTS_AGAIN,
    catch_up,
    end_training_run,
    finish_training_run,
    log_evaluation,
    log_refusal,
    open_training_run,
)

METRICS = {"test": {"accuracy": 0.75}}


@pytest.fixture(scope="module", autouse=True)
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Iterator[None]:
    """Make a folder with the run's files the working directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("project"))
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_database(Path.cwd() / "mlflow.db"))
        raw, split = artifacts.RAW_TEXTS.path, artifacts.SPLIT_TEXTS.path
        for path in (*RESULTS, artifacts.TRAINED_WEIGHTS, raw, split):
            if path.suffix:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(path.name)
            else:
                path.mkdir(parents=True)
                (path / "a.json").write_text("{}")
        artifacts.METRICS_REPORT.write_text(json.dumps(METRICS))
        artifacts.EPOCHS.path.write_text(
            "epoch,train_loss,validation_loss,validation_accuracy,kept\n0,0.6,0.5,0.7,1\n"
        )
        yield


def train(params: Params, *, passed: bool = True) -> str:
    with open_training_run(params, {"steps": {"per_epoch": 3}}) as run:
        run.tag_weights(artifacts.TRAINED_WEIGHTS)
    end_training_run(run, artifacts.GATES, passed)
    return run.id


def stored(run_id: str) -> MlflowRun:
    found: MlflowRun = connect().get_run(run_id)
    return found


def files(run_id: str) -> set[str]:
    listed = connect().list_artifacts(run_id)
    return {file.path for file in listed} | {
        file.path for each in listed for file in connect().list_artifacts(run_id, each.path)
    }


def test_each_stage_adds_its_results_and_sets_the_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    params = parse_params(tiny_values(), "made")
    run = train(params)
    found = stored(run)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == f"{params.dataset}-{params.model}"
    assert found.data.tags["dataset"] == params.dataset
    assert found.data.params["steps.per_epoch"] == "3"

    log_evaluation(params, METRICS, 1, Path(), passed=False)
    assert stored(run).info.status == "FAILED"
    assert stored(run).data.metrics == {"test.accuracy": 0.75}
    assert f"MLflow run {run}, which is marked FAILED" in capsys.readouterr().out
    assert finish_training_run(params, METRICS).id == run
    assert stored(run).info.status == "FINISHED"
    assert {path.as_posix() for path in RESULTS} <= files(run)
    names = {entry.dataset.name for entry in stored(run).inputs.dataset_inputs}
    assert names == {f"{params.dataset}-raw", f"{params.dataset}-split"}
    log_refusal(params)
    assert stored(run).info.status == "FAILED"


def test_a_run_that_trains_the_same_weights_again_gets_their_figures() -> None:
    params = parse_params(tiny_values(), "made")
    registered = train(params, passed=False)
    again = train(params)
    catch_up(params, registered)
    assert stored(registered).info.status == "FINISHED"
    assert stored(again).data.metrics == {"test.accuracy": 0.75}
    assert {path.as_posix() for path in RESULTS_AGAIN} <= files(again)
