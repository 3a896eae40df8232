"""The leaderboard: one entry for each model, trained and measured by the real command."""

from __future__ import annotations

import ast
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import test_dvc_yaml as walk
import yaml
from support.commands import run_in
from support.params import TINY_MODEL, read_values, set_value, tiny_values, write_values
from support.project import ROOT, commit_all, copy_project

from pipeline import leaderboard_entry as entry
from sentigate import artifacts
from sentigate.leaderboard.entry import ROOMS, SCRIPTS, inputs_sha256
from sentigate.leaderboard.table import BASELINE, MAJORITY
from sentigate.settings.params import parse_params
from sentigate.tracking.connection import connect
from sentigate.training import start as starting

DVC = (sys.executable, "-m", "dvc")
REVIEWS = ("a fine warm film", "a dull cold film", "warm and fine", "cold and dull")
LEADERBOARD = (sys.executable, "-m", "sentigate.cli.main", "leaderboard")


def test_the_hash_covers_exactly_the_rooms_that_an_entry_runs() -> None:
    """Each file that runs is in a hashed room, and each hashed room has a file that runs."""
    rooms = {f"src/sentigate/{room}" for room in ROOMS}
    files = walk.reached(ROOT / SCRIPTS[0]) - {
        *map(str, SCRIPTS),
        "src/sentigate/files.py",
        "src/sentigate/leaderboard/entry.py",
    }
    for file in files:
        assert any(Path(file).is_relative_to(room) for room in rooms), file
    for room in rooms:
        assert any(Path(file).is_relative_to(room) for file in files), room


def test_the_script_names_only_the_table_of_splits() -> None:
    tree = ast.parse((ROOT / SCRIPTS[0]).read_text("utf-8"))
    paths = {
        str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and str(node.value).startswith(("data/", "reports/")))
        or (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "artifacts")
    }
    assert paths == {"artifacts.SPLIT_TEXTS"}


# One entry


@pytest.fixture(scope="module", autouse=True)
def runs(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Iterator[None]:
    """Give these tests their own MLflow database."""
    with pytest.MonkeyPatch.context() as patch:
        uri = mlflow_database(tmp_path_factory.mktemp("runs") / "runs.db")
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        yield


def newest_run() -> Any:
    client = connect()
    experiment = client.get_experiment_by_name("sentigate")
    assert experiment is not None
    order = ["attributes.start_time DESC"]
    return client.search_runs([experiment.experiment_id], order_by=order, max_results=1)[0]


def write_split(folder: Path, validation: int = 16) -> None:
    """Write 64 training texts that a tiny network can learn, and a linear model's answers."""
    sizes = {"train": 64, "validation": validation, "test": 24}
    rows = [
        {"label": 1 - n % 2, "text": REVIEWS[n % 4], "split": name}
        | {"id": f"{name}-{n}", "group": f"{name}-{n}"}
        for name, size in sizes.items()
        for n in range(size)
    ]
    (folder / "data/split").mkdir(parents=True)
    table = pd.DataFrame(rows).astype({"label": "int8"})
    table.to_parquet(folder / artifacts.SPLIT_TEXTS.path)
    linear = table[["id", "split", "label"]].assign(
        logit_0=np.where(table["label"] == 1, 1, -1).astype(np.float32)
    )
    (folder / "reports").mkdir(exist_ok=True)
    linear.to_parquet(folder / artifacts.BASELINE_PREDICTIONS.path)


def refused(model: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the line with which an entry fails, and check that nothing else is written."""
    with pytest.raises(SystemExit) as caught:
        entry.main(model, "0")
    message = caught.value.code
    assert isinstance(message, str)
    start = f"sentigate leaderboard, {model}: "
    assert message.startswith(start)
    assert "\n" not in message
    assert (artifacts.FAILED / f"leaderboard/{model}.txt").read_text("utf-8") == (
        message.removeprefix(start) + "\n"
    )
    assert not Path("reports/leaderboard").exists()
    assert "Traceback" not in capsys.readouterr().err
    return message


@pytest.fixture
def measured(small_project: Callable[..., Path]) -> dict[str, Any]:
    folder = small_project(
        model="lstm",  # not the one that is measured
        models__tiny__training__learning_rate=0.05,
        models__tiny__training__max_epochs=8,
    )
    write_split(folder)
    entry.main("tiny", "0")
    written: dict[str, Any] = json.loads(
        Path("reports/leaderboard/csv/tiny.json").read_text("utf-8")
    )
    return written


def test_an_entry_has_figures_and_costs(measured: dict[str, Any]) -> None:
    assert (measured["model"], measured["dataset"], measured["seed"]) == ("tiny", "csv", 42)
    assert measured["validation_accuracy"] == measured["test_accuracy"] == 1.0
    assert measured["test_accuracy_low"] == measured["test_accuracy_high"] == 1.0
    assert 0 <= measured["validation_log_loss"] < 0.3
    assert measured["test_log_loss"] == pytest.approx(measured["validation_log_loss"], rel=0.01)
    # 2 special entries, and of a, fine, warm, film, dull, cold, and; both ways torch has 2 biases;
    size = TINY_MODEL["network"]["embedding_size"]  # type: ignore[index]
    assert size == 16
    assert measured["parameters"] == 9 * 16 + 2 * 4 * 16 * (16 + 16 + 2) + 2 * 16 + 1
    assert 1 <= measured["epochs"] <= 8
    assert 0 < measured["training_seconds"] < 60
    assert 24 < measured["texts_per_second"] < 1e7

    run = newest_run()
    assert run.info.run_name == "csv-tiny"
    assert run.info.status == "FINISHED"
    assert run.data.tags["sentigate.leaderboard"] == "true"
    assert run.data.params["model.name"] == "tiny"
    logged = run.data.metrics
    for split in ("validation", "test"):
        for key in ("accuracy", "log_loss"):
            assert logged[f"{split}.{key}"] == measured[f"{split}_{key}"]
    for key in ("parameters", "training_seconds", "texts_per_second"):
        assert logged[key] == measured[key]
    history = connect().get_metric_history(run.info.run_id, "validation.log_loss")
    steps = sorted({point.step for point in history})
    assert steps == list(range(measured["epochs"] + 1))  # the kept epoch is logged again
    assert min(point.value for point in history) == pytest.approx(
        measured["validation_log_loss"], abs=1e-6
    )


def test_the_figures_are_those_of_answers_by_the_threshold(
    small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_split(small_project())
    train = entry.train_model

    def with_threshold(*arguments: Any, **options: Any) -> Any:
        return train(*arguments, **options)._replace(threshold=1 - 1e-6)

    monkeypatch.setattr(entry, "train_model", with_threshold)
    entry.main("tiny", "0")
    measured = json.loads(Path("reports/leaderboard/csv/tiny.json").read_text("utf-8"))
    assert (measured["test_recall"], measured["test_accuracy"]) == (0, 0.5)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("vocab.min_count", 9999, "no word occurs 9999 times in 64 training texts"),
        ("training.learning_rate", 1e30, "training diverged: a loss of epoch 0 is not finite"),
    ],
)
def test_a_model_that_cannot_be_trained_is_reported_in_one_line(
    small_project: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    key: str,
    value: object,
    said: str,
) -> None:
    values = tiny_values()
    set_value(values["models"]["tiny"], key, value)
    folder = small_project(models=values["models"])
    write_split(folder)
    assert said in refused("tiny", capsys)
    assert newest_run().info.status == "FAILED"


def test_an_entry_that_cannot_be_measured_is_reported_in_one_line(
    small_project: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_project()
    assert "data/split/texts.parquet" in refused("tiny", capsys)
    write_split(folder, validation=0)
    assert "there are no validation rows" in refused("tiny", capsys)
    assert "model is 'nope'; allowed: bilstm, " in refused("nope", capsys)


def test_a_pretrained_model_starts_from_its_language_model(
    small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The language model is fitted first, and the network starts with its encoder."""
    values = tiny_values()
    tiny = values["models"]["tiny"]
    tiny["network"]["bidirectional"] = False
    first = tiny["training"] | {"max_epochs": 2}
    del first["fused"]
    tiny["training"] |= {"pretraining": first, "max_epochs": 1}
    write_split(small_project(models=values["models"]))
    starts: list[dict[str, Any]] = []

    def seen(network: Any, weights: Any) -> Any:
        starts.append(dict(weights))
        network = start_from(network, weights)
        for name, weight in network.encoder.state_dict().items():
            np.testing.assert_array_equal(weight, weights[f"encoder.{name}"])
        return network

    start_from = starting.start_from
    monkeypatch.setattr(starting, "start_from", seen)
    entry.main("tiny", "0")
    assert len(starts) == 1
    assert Path("reports/leaderboard/csv/tiny.json").is_file()


# The whole leaderboard

CHANGES: list[tuple[str, object, list[str]]] = [
    ("seed", 42, []),
    ("seed", 43, ["tiny"]),
    ("register.alias", "best", []),
    ("models.tiny.training.patience", 2, ["tiny"]),
    ("models.another", TINY_MODEL, ["another"]),
    ("models.tiny.max_length", 30, ["tiny"]),
    ("datasets.vader.clean.steps.lowercase", False, []),
    ("evaluate.bootstrap_samples", 200, ["tiny"]),
    ("evaluate.listed_errors", 3, []),
    ("gates.max_cut_share", 0.4, []),
]


def ran(done: subprocess.CompletedProcess[str]) -> list[str]:
    lines = done.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


def test_the_command_trains_the_valid_models_and_none_twice(
    tmp_path: Path, mlflow_database: Callable[[Path], str]
) -> None:
    project = copy_project(tmp_path)
    mlflow_database(project / "mlflow.db")
    values = tiny_values()
    tiny = values["models"]["tiny"] | {"training": TINY_MODEL["training"] | {"max_epochs": 1}}
    broken = copy.deepcopy(tiny)
    broken["vocab"]["min_count"] = 9999
    values |= {"dataset": "vader", "models": {"broken": broken, "tiny": tiny}}
    write_values(values, project)
    commit_all(project)

    first = run_in(project, *LEADERBOARD, "--dataset", "csv")
    assert first.returncode == 1
    assert ran(first) == [
        *("ingest", "clean", "split", "baseline"),
    ]
    starts = [line for line in first.stdout.splitlines() if line.startswith("[")]
    assert starts == ["[1/2] broken", "[2/2] tiny"]
    (failed,) = [line for line in first.stdout.splitlines() if line.startswith("failed")]
    assert failed.startswith("failed  broken: no word occurs 9999 times in ")
    assert "Traceback" not in first.stdout + first.stderr

    table = pd.read_csv(project / "reports/leaderboard.csv")
    assert set(table["model"]) == {"tiny", BASELINE, MAJORITY}
    page = (project / "reports/leaderboard.md").read_text("utf-8")
    assert "# csv, test split of " in page
    assert "- `broken`: no word occurs 9999 times" in page
    assert (project / "reports/leaderboard.png").stat().st_size > 10_000
    assert yaml.safe_load((project / "params.yaml").read_text("utf-8"))["dataset"] == "csv"
    status = run_in(project, "git", "status", "--porcelain").stdout.split("\n")
    assert {line[3:] for line in status if line} == {"dvc.lock", "params.yaml"}

    values |= {"dataset": "csv"}
    del values["models"]["broken"]
    write_values(values, project)
    again = run_in(project, *LEADERBOARD)
    assert again.returncode == 0, again.stderr
    assert ran(again) == []
    assert "has not changed, and is not trained again" in again.stdout
    assert "broken" not in again.stdout + (project / "reports/leaderboard.md").read_text("utf-8")
    assert pd.read_csv(project / "reports/leaderboard.csv").equals(table)

    plain = run_in(project, *DVC, "repro", "--dry")
    assert "vocab" in plain.stdout
    assert "leaderboard" not in plain.stdout + plain.stderr

    before = hashes(project, values)
    for key, value, models in CHANGES:
        changed = copy.deepcopy(values)
        set_value(changed, key, value)
        after = hashes(project, changed)
        assert sorted(m for m in after if after[m] != before.get(m)) == models, key
    with (project / artifacts.SPLIT_TEXTS.path).open("ab") as file:
        file.write(b" ")
    assert hashes(project, values) != before


def test_the_hash_covers_the_inputs_of_word_vectors(small_project: Callable[..., Path]) -> None:
    project = small_project(
        models__tiny__vocab__vectors=["minilm_256"],
        models__another=copy.deepcopy(TINY_MODEL),
        vectors__mine={"kind": "file", "path": "data/own/vectors/mine.txt", "sha256": None},
        models__third=copy.deepcopy(TINY_MODEL)
        | {"vocab": TINY_MODEL["vocab"] | {"vectors": ["minilm_256", "mine"]}},
    )
    made = (artifacts.SPLIT_TEXTS.path, artifacts.BASELINE_PREDICTIONS.path)
    for name in (*made, "data/own/vectors/mine.txt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_bytes(b"a")
    for name in ("libraries.json", *map(str, SCRIPTS)):
        (project / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, project / name)
    values = read_values(project)
    values["models"] = {name: values["models"][name] for name in ("tiny", "another", "third")}
    before = hashes(project, values)

    def changed() -> list[str]:
        after = hashes(project, values)
        return [name for name in after if after[name] != before[name]]

    assert changed() == []
    values["vectors"]["minilm_256"]["size"] += 1
    assert changed() == ["tiny", "third"]
    values["vectors"]["minilm_256"]["size"] -= 1
    (project / "data/own/vectors/mine.txt").write_bytes(b"b")
    assert changed() == ["third"]


def hashes(project: Path, values: dict[str, Any]) -> dict[str, str]:
    """Return the hash of each model's inputs."""
    params = parse_params(values, "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        return {model: inputs_sha256(params, model) for model in params.models}
