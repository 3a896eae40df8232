"""The hash of an entry's inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.project import ROOT

from sentigate import artifacts
from sentigate.leaderboard.entry import SCRIPTS, inputs_sha256
from sentigate.model.labels import Classes
from sentigate.settings.params import Params, load_params


def of_classes(params: Params, classes: Classes) -> Params:
    chosen = params.chosen_dataset.model_copy(update={"classes": classes})
    return params.model_copy(update={"datasets": {**params.datasets, params.dataset: chosen}})


def test_an_order_of_the_classes_changes_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of ordered classes are others, although the texts and their labels are the same."""
    monkeypatch.chdir(tmp_path)
    files = (artifacts.SPLIT_TEXTS.path, artifacts.BASELINE_PREDICTIONS.path)
    for path in (*files, Path("libraries.json"), *SCRIPTS):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"made")
    params = load_params(ROOT / "params.yaml")
    names = ("bad", "fine", "good")
    plain, same, ordered = (
        inputs_sha256(of_classes(params, classes), params.model)
        for classes in (
            Classes(names=names),
            Classes(names=names),
            Classes(names=names, ordered=True),
        )
    )
    assert plain == same != ordered
