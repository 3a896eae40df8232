"""Registering: versions are added, found and checked, and a failure leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sentigate.errors import RegistryError
from sentigate.registry.loading import code_of, load_predictor
from sentigate.registry.package import model_sha256
from sentigate.registry.versions import (
    MODEL_TAG,
    add_version,
    find_version,
    find_whole,
    is_whole,
)
from sentigate.tracking.connection import connect
from sentigate.tracking.ended_run import EndedRun
from sentigate.tracking.open_run import start_run


def test_versions_are_found_by_tags(run: EndedRun, package: Path) -> None:
    for weights, split in (("x", "a"), ("y", "a"), ("x", "b")):
        tags = {"weights_sha256": weights, "split_sha256": split}
        add_version(run, package, "found", tags)
    newest = find_version("found", {"weights_sha256": "x"})
    assert newest is not None
    assert int(newest.version) == 3
    assert newest.run_id == run.id
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "a"}) is not None
    assert find_version("found", {"weights_sha256": "y", "split_sha256": "b"}) is None
    assert find_version("never-registered", {}) is None


def test_versions_are_ordered_as_numbers(run: EndedRun, package: Path) -> None:
    first = add_version(run, package, "once", {})
    client = connect()
    client.create_registered_model("many")
    for _ in range(10):
        client.create_model_version("many", f"models:/once/{first.version}", run.id, {"t": "1"})
    newest = find_version("many", {"t": "1"})
    assert newest is not None
    assert int(newest.version) == 10


def test_a_registered_model_is_found_by_its_hash(run: EndedRun, package: Path, files: Path) -> None:
    digest = model_sha256(files, code_of(package / "artifacts/files"))
    assert find_whole("once", digest) is None
    made = add_version(run, package, "once", {MODEL_TAG: digest})
    found = find_whole("once", digest)
    assert found is not None
    assert found.version == made.version
    assert find_whole("once", "0" * 64) is None


def test_lost_code_and_a_damaged_description_are_detected(run: EndedRun, package: Path) -> None:
    for name, damage in (("code", shutil.rmtree), ("MLmodel", lambda path: path.write_text("- ["))):
        version = add_version(run, package, f"damaged-{name}", {})
        assert is_whole(version)
        folder = Path(connect().get_model_version_download_uri(version.name, version.version))
        damage(folder / name)
        assert not is_whole(version)
        with pytest.raises(RegistryError, match=r"make train|has lost its code"):
            load_predictor(f"models:/{version.name}/1")


def test_a_version_is_not_called_damaged_while_mlflow_does_not_answer(
    run: EndedRun, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = add_version(run, package, "away", {})

    def fails(**arguments: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mlflow.artifacts.download_artifacts", fails)
    with pytest.raises(RegistryError, match="No space left"):
        is_whole(version)


def test_a_model_that_cannot_be_registered_is_deleted(run: EndedRun, package: Path) -> None:
    client = connect()
    experiment = client.get_run(run.id).info.experiment_id
    add_version(run, package, "good", {})
    before = len(client.search_logged_models([experiment]))
    assert before == 1
    with pytest.raises(RegistryError):
        add_version(run, package, "bad", {"k" * 300: "a tag's name is too long"})
    assert len(client.search_logged_models([experiment])) == before


def test_a_model_gets_the_latest_figures_of_its_run_and_the_run_stays_unchanged(
    registry: Path, package: Path
) -> None:
    opened = start_run("figures")
    opened.log_params({"seed": 1})
    opened.log_metrics({"loss": 0.7}, step=0)
    opened.log_metrics({"loss": 0.5}, step=1)
    opened.end()
    run = EndedRun(connect(), opened.id)
    version = add_version(run, package, "figures", {})
    model = connect().get_logged_model(version.source.rpartition("/")[2])
    assert {metric.key: metric.value for metric in model.metrics} == {"loss": 0.5}
    assert model.params == {"seed": "1"}
    history = connect().get_metric_history(run.id, "loss")
    assert [(point.step, point.value) for point in history] == [(0, 0.7), (1, 0.5)]


def test_registering_changes_no_times_of_the_run(run: EndedRun, package: Path) -> None:
    before = connect().get_run(run.id).info
    add_version(run, package, "times", {})
    after = connect().get_run(run.id).info
    assert (after.status, after.end_time) == (before.status, before.end_time)
