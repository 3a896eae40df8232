"""Tracking, in a real MLflow database of these tests."""

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from sentigate.errors import RegistryError
from sentigate.files import sha256_of
from sentigate.tracking.connection import EXPERIMENT, connect, tracking_uri
from sentigate.tracking.delivery import complete_runs
from sentigate.tracking.ended_run import EndedRun, find_run
from sentigate.tracking.journal import FOLDER
from sentigate.tracking.open_run import RUN_WEIGHTS_TAG, OpenRun, run_or_fail, start_run


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make an empty project the working directory, once, because its database takes 5 s."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield folder


def stored(run: EndedRun | OpenRun) -> MlflowRun:
    found: MlflowRun = connect().get_run(run.id)
    return found


def test_the_database_is_created_in_the_working_directory(project: Path) -> None:
    client = connect()
    assert (project / "mlflow.db").is_file()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert Path(experiment.artifact_location).name == "mlartifacts"
    assert connect().get_experiment_by_name(EXPERIMENT).experiment_id == experiment.experiment_id


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_uri_means_the_default(monkeypatch: pytest.MonkeyPatch, empty: str | None) -> None:
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


NAMES = ("so so", "joy/fun", "why?", "C+", "C*", "愛", "😀", "../up", "a//b", "..", "x" * 300)


def test_figures_of_classes_are_logged_whatever_their_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An open run sends them as one entry, which MLflow refuses as a whole for one bad name."""
    classes = {name: {"f1": place / 10, "auroc": None} for place, name in enumerate(NAMES)}
    opened = start_run("named")
    opened.log_metrics({"test": {"accuracy": 0.5}, "classes": classes})
    opened.end()
    later = ended("later")
    later.log_metrics({"test": {"accuracy": 0.5}, "classes": classes}, step=1)
    for run in (opened, later):
        figures = stored(run).data.metrics
        assert sorted(figures.values()) == sorted([0.5, *(n / 10 for n in range(len(NAMES)))])
        assert figures["classes.so so.f1"] == 0.0
        assert figures["classes.joy_fun.f1"] == 0.1
        assert (figures["classes.C_.f1"], figures["classes.C__2.f1"]) == (0.3, 0.4)
    assert "refused" not in capsys.readouterr().out


def test_figures_of_the_largest_number_of_classes_are_logged() -> None:
    keys = [f"figure_{number}" for number in range(12)]
    classes = {f"class {number}": dict.fromkeys(keys, 0.5) for number in range(64)}
    run = ended("many")
    run.log_metrics({"classes": classes, "test": dict.fromkeys(keys, 0.5)}, step=1)
    assert len(stored(run).data.metrics) == 65 * 12


def test_a_loss_that_is_not_finite_can_be_logged() -> None:
    run = start_run("diverged")
    run.log_metrics({"loss": float("nan")})
    run.end("FAILED")
    assert "loss" in stored(run).data.metrics


def ended(name: str) -> EndedRun:
    opened = start_run(name)
    opened.end()
    return EndedRun(connect(), opened.id)


def test_a_table_is_logged_once_with_its_hash(tmp_path: Path) -> None:
    table = tmp_path / "texts.parquet"
    table.write_bytes(b"rows")
    run = ended("table")
    for _ in range(2):
        run.log_table("vader-raw", table, "raw")
    (entry,) = stored(run).inputs.dataset_inputs
    assert entry.dataset.name == "vader-raw"
    assert hashlib.sha256(b"rows").hexdigest() in entry.dataset.profile
    assert [(tag.key, tag.value) for tag in entry.tags] == [("mlflow.data.context", "raw")]


def test_files_are_logged_under_their_paths(tmp_path: Path, project: Path) -> None:
    for name in ("reports/sub/a.json", "reports/b.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    opened = start_run("open")
    opened.log_files(tmp_path / "reports", "reports")
    opened.end()
    run = ended("files")
    run.log_files([tmp_path / "reports/sub", tmp_path / "reports/b.json"], tmp_path)
    for each in (opened, run):
        names = [item.path for item in connect().list_artifacts(each.id, "reports")]
        assert sorted(names) == ["reports/b.json", "reports/sub"]
        names = [item.path for item in connect().list_artifacts(each.id, "reports/sub")]
        assert names == ["reports/sub/a.json"]
    assert list((project / "mlartifacts").rglob("a.json"))


EPOCHS = pd.DataFrame(
    {
        "epoch": [0, 1, 2],
        "train_loss": [0.7, 0.6, 0.5],
        "validation_loss": [0.7, 0.55, 0.65],
        "validation_accuracy": [0.5, 0.75, 0.7],
        "kept": [0, 1, 0],
    }
)


def test_the_latest_figures_are_those_of_the_kept_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    run = start_run("kept")
    for row in EPOCHS.drop(columns="kept").to_dict("records"):
        run.log_epoch({str(key): value for key, value in row.items()})
    run.log_kept(EPOCHS)
    run.end()
    assert "epoch 1, train_loss 0.6, validation_loss 0.55" in capsys.readouterr().out
    assert stored(run).data.metrics == {
        "train.log_loss": 0.6,
        "validation.log_loss": 0.55,
        "validation.accuracy": 0.75,
        "kept_epoch": 1.0,
    }
    history = connect().get_metric_history(run.id, "validation.log_loss")
    assert [(point.step, point.value) for point in history] == [
        (0, 0.7),
        (1, 0.55),
        (2, 0.65),
        (3, 0.55),
    ]


def test_a_figure_that_the_run_has_is_not_logged_again() -> None:
    run = ended("again")
    run.log_metrics({"test": {"accuracy": 0.5, "auroc": None}}, step=3)
    run.log_metrics({"test": {"accuracy": 0.5000001, "f1": 0.6}}, step=3)
    client = connect()
    assert len(client.get_metric_history(run.id, "test.accuracy")) == 1
    run.log_metrics({"test": {"accuracy": 0.6}}, step=3)  # a new value is logged
    assert stored(run).data.metrics == {"test.accuracy": 0.6, "test.f1": 0.6}


def test_a_new_status_keeps_the_end_time() -> None:
    run = ended("marked")
    end = stored(run).info.end_time
    time.sleep(0.002)
    run.mark("FAILED")
    assert (stored(run).info.status, stored(run).info.end_time) == ("FAILED", end)


def test_a_run_whose_body_raises_ends_as_failed() -> None:
    with pytest.raises(KeyboardInterrupt), run_or_fail("interrupted") as run:
        raise KeyboardInterrupt
    assert stored(run).info.status == "FAILED"


def test_a_run_whose_body_returns_stays_open() -> None:
    with run_or_fail("open") as run:
        pass
    assert stored(run).info.status == "RUNNING"
    run.end()
    assert stored(run).info.status == "FINISHED"


def test_the_newest_run_of_the_weights_is_found(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"these")
    older, other = (start_run(name) for name in ("older", "other"))
    older.tag_weights(weights)
    time.sleep(0.002)  # MLflow orders runs by the millisecond of their start
    newer = start_run("newer")
    newer.tag_weights(weights)
    other.tag({RUN_WEIGHTS_TAG: "0" * 64})
    for run in (older, other, newer):
        run.end()
    assert find_run(weights, "any").id == newer.id
    assert "sentigate.restored" not in stored(newer).data.tags


def test_weights_without_a_run_get_a_run_tagged_restored(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"pulled from a remote")
    run = find_run(weights, "vader-bilstm")
    found = stored(run)
    assert found.data.tags["sentigate.restored"] == "true"
    assert found.data.tags[RUN_WEIGHTS_TAG] == sha256_of(weights)
    assert found.info.run_name == "vader-bilstm"
    assert found.info.status == "FINISHED"
    assert find_run(weights, "vader-bilstm").id == run.id


# A server that does not answer, and a process that is killed


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return uri


def journals() -> list[Path]:
    return sorted(FOLDER.glob("*.jsonl"))


def test_figures_are_kept_and_sent_later_if_the_server_does_not_answer(
    away: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start_run("offline", {"dataset": "vader"})
    run.log_params({"seed": 1})
    run.log_metrics({"loss": float("nan")}, step=0)
    run.log_files(Path(), "reports")
    run.end()
    printed = capsys.readouterr().out
    assert printed.count("training goes on") == 2  # at the start, and at the end
    assert away in printed
    assert run.id == ""
    (path,) = journals()
    assert str(path) in printed
    with pytest.raises(RegistryError):
        complete_runs()
    assert journals() == [path]

    # Only the server of the journal's URI gets the entries, with the times of the training.
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    complete_runs()
    assert journals() == [path]
    text = path.read_text("utf-8")
    path.write_text(text.replace(json.dumps(away), json.dumps(tracking_uri())), "utf-8")
    complete_runs()
    assert journals() == []
    (found,) = connect().search_runs(
        [connect().get_experiment_by_name(EXPERIMENT).experiment_id],
        "attributes.run_name = 'offline'",
    )
    start = json.loads(text.splitlines()[0])["start"]
    assert found.info.start_time == start["time"]
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "1"}
    assert found.data.tags["dataset"] == "vader"
    assert "is now complete" in capsys.readouterr().out


KILLED = """
import os, signal
from sentigate.tracking.open_run import start_run
run = start_run("killed")
run.log_metrics({"loss": 0.5})
print(run.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_closes_a_killed_run_and_leaves_a_working_one_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    working = start_run("working")
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    run_id = done.stdout.strip()
    client = connect()
    assert client.get_run(run_id).info.status == "RUNNING"
    start_run("next").end()
    assert client.get_run(run_id).info.status == "KILLED"
    assert len(client.get_metric_history(run_id, "loss")) == 1  # sent twice, stored once
    assert f"run {run_id} (killed) was killed, and is closed as KILLED" in capsys.readouterr().out
    assert stored(working).info.status == "RUNNING"
    working.end()
    assert journals() == []


def test_the_journal_of_a_deleted_run_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    connect().delete_run(done.stdout.strip())
    start_run("next").end()
    assert "MLflow refused a part of run" in capsys.readouterr().out
    assert journals() == []


def test_a_journal_of_half_a_line_is_removed() -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "1-1.jsonl").write_text('{"start": {"na')
    complete_runs()
    assert journals() == []


def test_half_a_last_line_does_not_prevent_closing_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    (path,) = journals()
    with path.open("a") as file:
        file.write('{"metrics": {"lo')
    complete_runs()
    assert connect().get_run(done.stdout.strip()).info.status == "KILLED"
    assert journals() == []


def test_all_entries_are_sent_to_a_store_that_lost_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True)
    (path,) = journals()
    lost = "0" * 32
    path.write_text(path.read_text("utf-8").replace(done.stdout.strip(), lost), "utf-8")
    complete_runs()
    printed = capsys.readouterr().out
    assert lost not in printed
    run_id = printed.split("run ")[1].split()[0]
    assert connect().get_run(run_id).data.metrics == {"loss": 0.5}


def test_a_deleted_experiment_is_restored() -> None:
    client = connect()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    start_run("after").end()
    restored = client.get_experiment(experiment.experiment_id)
    assert restored.lifecycle_stage == "active"


def test_a_full_disk_does_not_stop_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start_run("full")

    class Full:
        def write(self, text: str) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            raise OSError(28, "No space left on device")

    run._journal._file.close()
    monkeypatch.setattr(run._journal, "_file", Full())
    run.log_metrics({"loss": 0.5})
    run.end()
    assert stored(run).data.metrics == {"loss": 0.5}
    assert stored(run).info.status == "FINISHED"


# A project that is moved or copied


@pytest.mark.parametrize("known", ["mlflow-artifacts:/1", "s3://bucket/x", "/big disk/artifacts"])
def test_an_artifact_location_that_a_user_chose_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mlflow_database: Callable[[Path], str],
    known: str,
) -> None:
    """One case is the database of a server, opened without the server."""
    monkeypatch.chdir(tmp_path)
    uri = mlflow_database(tmp_path / "mlflow.db")
    (tmp_path / "mlartifacts").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    MlflowClient(uri).create_experiment(EXPERIMENT, artifact_location=known)
    experiment = connect().get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    assert experiment.artifact_location == known


@pytest.mark.parametrize("how", ["moved", "copied"])
def test_artifacts_are_found_in_a_moved_or_copied_project(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mlflow_database: Callable[[Path], str],
    how: str,
) -> None:
    old, new = tmp_path / "old place", tmp_path / "new"
    old.mkdir()
    monkeypatch.chdir(old)
    # Absolute, because MLflow keeps one connection for each URI, even in another folder.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(old / "mlflow.db"))
    (old / "reports").mkdir()
    (old / "reports/a.txt").write_text("artifact")
    run = ended("before")
    run.log_files([Path("reports/a.txt")])
    assert (old / "mlartifacts").is_dir()
    (shutil.move if how == "moved" else shutil.copytree)(old, new)
    monkeypatch.chdir(new)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{new}/mlflow.db")
    path = connect().download_artifacts(run.id, "reports/a.txt")
    assert Path(path).read_text() == "artifact"
    ended("after").log_files([Path("reports/a.txt")])
    assert len(list((new / "mlartifacts").rglob("a.txt"))) == 2
    if how == "copied":
        assert len(list((old / "mlartifacts").rglob("a.txt"))) == 1


def test_sha256_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


@pytest.mark.parametrize("kind", ["server", "file", "scheme"])
def test_mlflow_that_cannot_be_used_is_reported_soon(
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
