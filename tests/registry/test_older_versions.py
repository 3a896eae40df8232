"""Models that older versions of sentigate registered: they load, predict and are compared.

Their carried code answers P(positive) alone, and has no names of classes.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.registry import TEXTS, THREE

from sentigate.cli.main import main
from sentigate.model.answers import log_losses
from sentigate.model.columns import Columns
from sentigate.model.labels import BINARY
from sentigate.model.predictor import Predictor
from sentigate.registry.loading import predictor_of
from sentigate.registry.package import package_model
from sentigate.registry.promotion import Standing, promote
from sentigate.registry.versions import add_version, aliased
from sentigate.settings.params import RegisterParams
from sentigate.tracking.ended_run import EndedRun

TODAY = "_Today = Predictor\n\n\n"
OLDEST = (
    TODAY
    + '''
class Predictor:
    """Has no notes, and no columns."""

    def __init__(self, folder):
        self._today = _Today(folder)

    def __call__(self, texts):
        return self._today(texts)[:, 1]
'''
)
OLDER = (
    TODAY
    + """
class OlderAnswers(NamedTuple):
    probabilities: np.ndarray
    notes: list


class Predictor:
    def __init__(self, folder):
        self._today = _Today(folder)
        self.columns = self._today.columns

    def __call__(self, texts):
        return self.judge(texts).probabilities

    def judge(self, texts):
        answers = self._today.judge(texts)
        return OlderAnswers(answers.probabilities[:, 1], answers.notes)
"""
)
CODES = {"oldest": OLDEST, "older": OLDER}


def older_package(files: Path, folder: Path, age: str) -> Path:
    """Package a model whose carried predictor answers as an older version did."""
    package = package_model(files, folder)
    (code,) = package.rglob("sentigate_model/predictor.py")
    code.write_text(f"{code.read_text('utf-8')}\n\n{CODES[age]}", "utf-8")
    return package


@pytest.mark.parametrize("age", CODES)
def test_an_older_model_answers_as_todays_models_do(files: Path, tmp_path: Path, age: str) -> None:
    copied = shutil.copytree(files, tmp_path / "files")
    Columns(text="review", context=None).save(copied)
    package = older_package(copied, tmp_path, age)
    model = predictor_of(package / "artifacts/files")
    assert model.classes == BINARY
    assert model.columns.texts == ("review",)  # in a file that today's code reads
    answers, expected = model.judge(TEXTS), Predictor(files).judge(TEXTS)
    assert answers.labels == expected.labels
    assert set(answers.labels) == set(BINARY.names)
    assert answers.probabilities.dtype == answers.confidences.dtype == np.float32
    assert np.abs(answers.probabilities - expected.probabilities).max() < 1e-6
    assert np.abs(answers.confidences - expected.confidences).max() < 1e-6
    assert answers.notes == ([""] * len(TEXTS) if age == "oldest" else expected.notes)
    assert (model(TEXTS) == answers.probabilities).all()
    assert model([]).shape == (0, 2)


@pytest.mark.parametrize("age", CODES)
def test_an_older_model_predicts_on_the_command_line(
    files: Path,
    registry: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    age: str,
) -> None:
    package = older_package(files, registry, age)
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", "", "--model", str(package)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    label, confidence, text, *notes = capsys.readouterr().out.rstrip("\n").split("\t")
    assert label in BINARY.names
    assert (float(confidence) >= 0.5, text) == (True, "")
    assert len(notes) == (0 if age == "oldest" else 1)


SETTINGS = RegisterParams(alias="champion", challenger_alias="challenger", significance_level=0.05)
FINE = Standing(False, False, "The model is not found to be worse.")
ROWS = pd.DataFrame({"raw": [f"text {n}" for n in range(40)], "label": [0, 1] * 20})
ROWS["id"] = ROWS["group"] = ROWS["raw"]


class Knowing:
    """A model that knows the labels of ROWS."""

    def __init__(self, classes: Any) -> None:
        self.classes = classes

    def __call__(self, texts: Any) -> Any:
        labels = np.array([int(text.split()[1]) % 2 for text in texts])
        return np.eye(self.classes.count, dtype=np.float32)[labels]


@pytest.mark.parametrize("age", CODES)
def test_an_older_champion_is_compared(
    run: EndedRun, files: Path, package: Path, tmp_path: Path, age: str
) -> None:
    older = older_package(files, tmp_path, age)
    tags = {"split_sha256": "a"}
    for number, archive in enumerate((older, package), start=1):
        version = add_version(run, archive, "made", tags)
        made = promote(version, Knowing(BINARY), ROWS, "random", SETTINGS, FINE)
        assert (made["version"], made["promoted"]) == (number, True)
    losses = log_losses(ROWS["label"].to_numpy(), Predictor(files)(ROWS["raw"].tolist()))
    assert f"log loss 0.0000 against version 1's {losses.mean():.4f} on 40 texts" in made["reason"]


@pytest.mark.parametrize("age", CODES)
def test_an_older_champion_stays_if_the_classes_have_changed(
    run: EndedRun, files: Path, package: Path, tmp_path: Path, age: str
) -> None:
    older = add_version(run, older_package(files, tmp_path, age), "made", {"split_sha256": "a"})
    promote(older, Knowing(BINARY), ROWS, "random", SETTINGS, FINE)
    version = add_version(run, package, "made", {"split_sha256": "a"})
    made = promote(version, Knowing(THREE), ROWS, "random", SETTINGS, FINE)
    assert not made["promoted"]
    assert made["reason"].startswith(
        "version 1 answers 'negative, positive', this version 'negative, neutral, positive'"
    )
    assert aliased("made", "champion").version == older.version
