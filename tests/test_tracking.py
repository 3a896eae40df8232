"""Tracking, on a real MLflow database of the test's own."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.entities import Run as MlflowRun

from sentigate.errors import RegistryError
from sentigate.files import sha256_of
from sentigate.tracking import (
    EXPERIMENT,
    WEIGHTS_TAG,
    Run,
    connect,
    find_run,
    run_or_fail,
    start_run,
    tracking_uri,
)


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty project as the working directory; its database is made once, for that takes 5 s."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


def stored(run: Run) -> MlflowRun:
    found: MlflowRun = connect().get_run(run.id)
    return found


def test_the_database_is_made_in_the_working_directory(project: Path) -> None:
    client = connect()
    assert (project / "mlflow.db").is_file()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert Path(experiment.artifact_location).name == "mlartifacts"
    assert connect().get_experiment_by_name(EXPERIMENT).experiment_id == experiment.experiment_id


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_uri_is_the_default(monkeypatch: pytest.MonkeyPatch, empty: str | None) -> None:
    if empty is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", empty)
    assert tracking_uri() == "sqlite:///mlflow.db"


def test_params_and_metrics_get_dotted_names() -> None:
    run = start_run("nested")
    run.log_params({"a": {"b": {"c": 1}, "d": [1, 2]}, "e": None, "f": 0.1})
    run.log_metrics({"test": {"accuracy": 0.5, "auc": None}, "rows": 7}, step=3)
    run.log_metrics({"rows": 8}, step=4)
    run.end()
    found = stored(run)
    assert found.info.run_name == "nested"
    assert found.data.params == {"a.b.c": "1", "a.d": "[1, 2]", "e": "None", "f": "0.1"}
    assert found.data.metrics == {"test.accuracy": 0.5, "rows": 8.0}
    history = connect().get_metric_history(run.id, "rows")
    assert [(point.step, point.value) for point in history] == [(3, 7.0), (4, 8.0)]


def test_a_loss_that_is_not_finite_can_be_logged() -> None:
    run = start_run("diverged")
    run.log_metrics({"loss": float("nan")})
    run.end("FAILED")
    assert "loss" in stored(run).data.metrics


def test_a_table_carries_its_hash(tmp_path: Path) -> None:
    table = tmp_path / "texts.parquet"
    table.write_bytes(b"rows")
    run = start_run("table")
    run.log_table("vader-raw", table, "raw")
    run.end()
    (entry,) = stored(run).inputs.dataset_inputs
    assert entry.dataset.name == "vader-raw"
    assert hashlib.sha256(b"rows").hexdigest() in entry.dataset.profile
    assert [(tag.key, tag.value) for tag in entry.tags] == [("mlflow.data.context", "raw")]


def test_files_are_logged(tmp_path: Path, project: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.json").write_text("{}")
    run = start_run("files")
    run.log_files(tmp_path, "reports")
    run.end()
    names = [item.path for item in connect().list_artifacts(run.id, "reports/sub")]
    assert names == ["reports/sub/a.json"]
    assert list((project / "mlartifacts").rglob("a.json"))


def test_a_run_whose_body_raises_is_failed() -> None:
    with pytest.raises(KeyboardInterrupt), run_or_fail("interrupted") as run:
        raise KeyboardInterrupt
    assert stored(run).info.status == "FAILED"


def test_a_run_whose_body_does_not_is_left_open() -> None:
    with run_or_fail("open") as run:
        pass
    assert stored(run).info.status == "RUNNING"
    run.end()
    assert stored(run).info.status == "FINISHED"


def test_a_run_is_found_by_its_weights(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"these")
    older, newer, other = (start_run(name) for name in ("older", "newer", "other"))
    older.tag_weights(weights)
    time.sleep(0.002)  # runs are ordered by the millisecond they began
    newer = start_run("newer")
    newer.tag_weights(weights)
    other.tag({WEIGHTS_TAG: "0" * 64})
    assert find_run(weights, "any").id == newer.id
    assert "sentigate.restored" not in stored(newer).data.tags


def test_weights_without_a_run_get_one_that_says_so(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"pulled from a remote")
    run = find_run(weights, "vader-bilstm")
    found = stored(run)
    assert found.data.tags["sentigate.restored"] == "true"
    assert found.data.tags[WEIGHTS_TAG] == sha256_of(weights)
    assert found.info.run_name == "vader-bilstm"
    assert found.info.status == "FINISHED"
    assert find_run(weights, "vader-bilstm").id == run.id


@pytest.mark.parametrize("kind", ["server", "file", "scheme"])
def test_what_cannot_be_reached_is_said_soon(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "damaged.db").write_text("not a database " * 100)
    uri = {
        "server": "http://127.0.0.1:9",
        "file": f"sqlite:///{tmp_path}/damaged.db",
        "scheme": "nosuch://server",
    }[kind]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    started = time.monotonic()
    with pytest.raises(RegistryError) as error:
        connect()
    assert time.monotonic() - started < 30
    message = str(error.value)
    assert uri in message
    assert "MLFLOW_TRACKING_URI" in message
    assert "\n" not in message
    assert len(message) < 600
