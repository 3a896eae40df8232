"""The registered model after `make train` runs again, or after a part is lost.

The tests run in order, in one copy of the trained project. Each starts from the versions of the
test before it; otherwise most would have to train or register first, which takes seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.commands import run_in
from support.params import set_value, tiny_values, write_values
from support.project import commit_all
from support.trained import (
    DVC,
    MODEL,
    SENTIGATE,
    ask_mlflow,
    copy_trained,
    hash_of,
    ran,
    read_json,
)

from sentigate import artifacts


@pytest.fixture(scope="module")
def project(trained: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_trained(trained[0], tmp_path_factory.mktemp("copy") / "project")


def test_training_again_writes_the_same_bytes(project: Path) -> None:
    model = project / artifacts.TRAINED_MODEL
    before = {path.name: hash_of(path) for path in model.iterdir()}
    csv = (project / artifacts.EPOCHS.path).read_bytes()
    # Cold, because processes of one fork server share a hash seed, and so the order of sets.
    done = run_in(project, *DVC, "repro", "-f", "-s", "train", cold=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert ran(done) == ["train"]
    assert {path.name: hash_of(path) for path in model.iterdir()} == before
    assert (project / artifacts.EPOCHS.path).read_bytes() == csv


def test_a_lost_model_is_registered_again_and_a_moved_project_works(project: Path) -> None:
    shutil.rmtree(project / "mlartifacts")
    done = run_in(project, *SENTIGATE, "predict", "A fine film.")
    assert done.returncode == 1
    assert "`make train` registers a model" in done.stderr
    done = run_in(project, *SENTIGATE, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    assert ran(done) == ["register"]
    reason = "version 1, the previous champion, cannot be loaded"
    assert f"{MODEL} version 2: champion ({reason})" in " ".join(done.stdout.split())
    moved = project.rename(project.with_name("moved"))
    try:
        done = run_in(moved, *SENTIGATE, "predict", "A fine film.")
        assert done.returncode == 0, done.stderr
    finally:
        moved.rename(project)
    assert run_in(project, *SENTIGATE, "predict", "A fine film.").stdout == done.stdout


def test_the_same_weights_stay_one_version(project: Path) -> None:
    """Only a threshold and a number of bootstrap samples change, not the model or its inputs."""
    before = ask_mlflow(project)
    values = tiny_values()
    set_value(values, "gates.min_coverage", 0.61)
    set_value(values, "evaluate.bootstrap_samples", 200)
    write_values(values, project)
    commit_all(project)  # a commit without a training
    done = run_in(project, *SENTIGATE, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    assert {"vocab", "evaluate", "register"} <= set(ran(done)) - {"train"}
    assert f"{MODEL} version 2: champion (version 1" in " ".join(done.stdout.split())
    after = ask_mlflow(project)
    assert [v["version"] for v in after["versions"]] == [v["version"] for v in before["versions"]]
    assert after["models"] == before["models"]
    for was, run in zip(before["runs"], after["runs"], strict=True):
        assert run["tags"]["git_commit"] == was["tags"]["git_commit"]
        assert run["seconds"] == was["seconds"]
        assert run["history"] == was["history"]


def test_a_worse_model_is_not_promoted(project: Path) -> None:
    values = tiny_values()
    set_value(values, "models.tiny.training.learning_rate", 0.000001)
    write_values(values, project)
    done = run_in(project, *SENTIGATE, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    printed = " ".join(done.stdout.split())
    assert f"{MODEL} version 3: champion is version 2 (validation log loss 0." in printed
    assert "texts that neither was trained on (paired t-test, p = " in printed
    (model,) = ask_mlflow(project)["models"]
    aliases = {alias: int(number) for alias, number in model["aliases"].items()}
    assert aliases == {"champion": 2, "challenger": 3}
    # With the old params, DVC restores the outputs, and the printed alias is the current one.
    write_values(tiny_values(), project)
    done = run_in(project, *SENTIGATE, "train")
    assert f"{MODEL} version 2: champion (version 1" in " ".join(done.stdout.split())


def test_train_registers_again_if_the_registry_is_lost(project: Path) -> None:
    (project / "mlflow.db").unlink()
    shutil.rmtree(project / "mlartifacts")
    done = run_in(project, *SENTIGATE, "train")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "but not completely in this MLflow registry" in done.stdout
    assert ran(done) == ["register"]
    assert f"{MODEL} version 1: champion (the first version)" in " ".join(done.stdout.split())
    facts = ask_mlflow(project)
    (version,) = facts["versions"]
    assert version["tags"]["weights_sha256"] == hash_of(project / artifacts.TRAINED_WEIGHTS)
    (run,) = facts["runs"]
    assert run["tags"]["sentigate.restored"] == "true"
    assert run["id"] in done.stdout


def test_a_failed_gate_stops_the_later_stages(project: Path) -> None:
    registration = (project / artifacts.REGISTRATION).read_bytes()
    values = tiny_values()
    set_value(values, "datasets.csv.gates.min_test_accuracy", 1.0)
    write_values(values, project)
    done = run_in(project, *DVC, "repro")
    assert done.returncode != 0
    assert ran(done) == ["evaluate"]
    message = (
        "sentigate evaluate: gate failed, no output was written: 1 of 7 expectations on 100 rows\n"
        "  ✗ test accuracy is not below the floor (datasets/X.yaml:gates.min_test_accuracy) "
        "[expect_column_mean_to_be_between]\n"
    )
    assert message in done.stderr
    assert "allowed: min_value 1.0\n" in done.stderr
    assert "reports/failed/evaluate.html" in done.stderr
    assert done.stderr.count("gate failed") == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert read_json(project / artifacts.FAILED / "evaluate.json")["success"] is False
    assert (project / artifacts.REGISTRATION).read_bytes() == registration
    facts = ask_mlflow(project)
    assert [version["version"] for version in facts["versions"]] == [1]
    (run,) = facts["runs"]
    assert run["status"] == "FAILED"
    assert f"figures are logged to MLflow run {run['id']}, which is marked FAILED" in done.stdout


def test_the_page_of_a_failure_is_removed_if_the_stage_passes_from_the_cache(project: Path) -> None:
    write_values(tiny_values(), project)
    done = run_in(project, *SENTIGATE, "train")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Stage 'evaluate' is cached" in done.stdout
    assert (project / artifacts.GATES / "evaluate.html").exists()
    assert list((project / artifacts.FAILED).iterdir()) == []
