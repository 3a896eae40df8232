"""`sentigate predict` with a registered model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.project import copy_settings
from support.registry import SEVEN, TEXTS, THREE, add_champion, write_files

from sentigate.cli.main import main
from sentigate.model.labels import BINARY, Classes
from sentigate.model.predictor import Predictor
from sentigate.registry.versions import model_name


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_database: Callable[[Path], str]
) -> Path:
    """Make a folder with params.yaml and an empty registry the working directory."""
    copy_settings(tmp_path)
    monkeypatch.chdir(tmp_path)
    # Absolute, because MLflow keeps one connection for each URI, even in another folder.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(tmp_path / "mlflow.db"))
    return tmp_path


def run_predict(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["sentigate", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0


@pytest.mark.parametrize("classes", [BINARY, THREE, SEVEN], ids=lambda classes: classes.count)
def test_texts_are_predicted_with_the_promoted_version(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    classes: Classes,
) -> None:
    files = write_files(project / "files", classes)
    add_champion(files, model_name("vader"), project)
    texts = ["A fine film, warm and funny.", "two\tlines\nof text", ""]
    run_predict(monkeypatch, *texts)
    answers = Predictor(files).judge(texts)
    shown = [texts[0], "two lines of text", "\t" + answers.notes[2]]
    assert capsys.readouterr().out.splitlines() == [
        f"{label}\t{confidence:.4f}\t{text}"
        for label, confidence, text in zip(answers.labels, answers.confidences, shown, strict=True)
    ]
    assert set(answers.labels) <= set(classes.names)


@pytest.mark.parametrize("classes", [BINARY, SEVEN], ids=lambda classes: classes.count)
@pytest.mark.parametrize("options", [(), ("--probabilities",)], ids=["plain", "probabilities"])
def test_a_file_is_predicted(
    project: Path, monkeypatch: pytest.MonkeyPatch, classes: Classes, options: tuple[str, ...]
) -> None:
    files = write_files(project / "files", classes)
    uri = add_champion(files, "made", project)
    tweets, out = project / "tweets.csv", project / "answers.parquet"
    pd.DataFrame({"tweet": TEXTS * 60}).to_csv(tweets, index=False)
    arguments = ["--file", str(tweets), "--out", str(out), "--column", "tweet", "--model", uri]
    run_predict(monkeypatch, *arguments, *options)
    found, answers = pd.read_parquet(out), Predictor(files).judge(TEXTS * 60)
    columns = [f"probability_{name}" for name in classes.names] if options else []
    assert found.columns.tolist() == ["tweet", "label", "confidence", *columns, "note"]
    assert found["tweet"].tolist() == TEXTS * 60
    assert found["label"].tolist() == answers.labels
    assert len(set(answers.labels)) > 1
    assert np.abs(found["confidence"] - answers.confidences).max() < 1e-6
    if options:
        assert np.abs(found[columns].to_numpy() - answers.probabilities).max() < 1e-6
    assert found["note"].tolist() == answers.notes
    assert not [name for name in sys.modules if name.startswith("sentigate_model")]


def test_a_file_is_read_as_the_options_say(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_files(project / "files", BINARY)
    uri = add_champion(files, "made", project)
    (project / "old.csv").write_bytes('1;a “fine” café\n2;"poor\n'.encode("cp1252"))
    options = ["--encoding", "cp1252", "--separator", ";", "--no-header", "--plain-quotes"]
    chosen = ["--file", "old.csv", "--out", "a.csv", "--column", "2", "--model", uri]
    run_predict(monkeypatch, *chosen, *options)
    found = pd.read_csv(project / "a.csv", quotechar='"')
    assert found["2"].tolist() == ["a “fine” café", '"poor']
    assert found["label"].tolist() == Predictor(files).judge(found["2"].tolist()).labels
