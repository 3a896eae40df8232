"""Loading: the code that a model carries, and messages if there is no model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from support.registry import TEXTS, THREE, write_files

from sentigate.errors import RegistryError
from sentigate.model.columns import PLAIN
from sentigate.model.predictor import Predictor
from sentigate.registry.loading import load_predict, load_predictor, predictor_of
from sentigate.registry.package import package_model
from sentigate.registry.versions import add_version
from sentigate.tracking.connection import tracking_uri
from sentigate.tracking.ended_run import EndedRun


def test_two_models_are_loaded_side_by_side(run: EndedRun, package: Path) -> None:
    """Each runs its own code, although both packages have the same name."""
    add_version(run, package, "logged", {})
    served = load_predict("models:/logged/1")
    predictor = load_predictor("models:/logged/1")
    columns = ["probability_negative", "probability_positive"]
    assert np.abs(predictor(TEXTS) - served(TEXTS)[columns]).to_numpy().max() < 1e-6


def test_a_loaded_model_answers_with_its_own_classes(tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", THREE)
    model = predictor_of(package_model(files, tmp_path) / "artifacts/files")
    assert type(model).__module__ == "sentigate_model.predictor"
    assert not [name for name in sys.modules if name.startswith("sentigate_model")]
    assert (model.classes.names, model.columns.text) == (THREE.names, PLAIN.text)
    answers, expected = model.judge(TEXTS), Predictor(files).judge(TEXTS)
    assert (answers.labels, answers.notes) == (expected.labels, expected.notes)
    assert model(TEXTS).shape == (len(TEXTS), 3)
    assert np.abs(model(TEXTS) - expected.probabilities).max() < 1e-6


@pytest.mark.parametrize(
    "missing",
    [
        "models:/nothing@champion",
        "models:/nothing/1",
        "models:/m-0123456789",
        "runs:/0/model",
        "no/such/folder",
    ],
)
def test_a_missing_model_is_reported_in_one_line(registry: Path, missing: str) -> None:
    with pytest.raises(RegistryError) as error:
        load_predict(missing)
    message = str(error.value)
    assert missing in message
    assert tracking_uri() in message
    assert "make train" in message
    assert "\n" not in message
