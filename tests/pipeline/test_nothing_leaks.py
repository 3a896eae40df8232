"""Test rows decide nothing: with other texts and labels in the test split, no choice changes."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pipeline.stage import run
from sentigate import artifacts

SPLIT = artifacts.SPLIT_TEXTS.path
CHOSEN = (
    artifacts.VOCAB_TOKENIZER.parent,
    artifacts.PADDED / "train",
    artifacts.PADDED / "validation",
    artifacts.LINEAR_MODEL,
    artifacts.TRAINED_MODEL,  # weights and model.json
    artifacts.EPOCHS.path,  # every epoch, and which one is kept
    artifacts.GATES / "vocab.json",
    artifacts.GATES / "train.json",
)


def run_stages(*names: str) -> None:
    for name in names:
        run(name, getattr(importlib.import_module(f"pipeline.{name}"), name))


def answers(side: str) -> pd.DataFrame:
    """Return the linear model's predictions for one split."""
    predictions = pd.read_parquet(artifacts.BASELINE_PREDICTIONS.path)
    return predictions.loc[predictions["split"] == side].reset_index(drop=True)


def chosen() -> dict[str, bytes]:
    """Return the content of every file that a choice is written to."""
    files = [file for path in CHOSEN for file in [path, *sorted(path.rglob("*"))]]
    found = {str(file): file.read_bytes() for file in files if file.is_file()}
    probabilities = answers("validation")["probability_1"]
    return found | {"validation answers of the baseline": probabilities.to_numpy().tobytes()}


def other_test_rows(splits: pd.DataFrame) -> pd.DataFrame:
    """Reverse each test text, add words that no other row has, and flip the label."""
    in_test = splits["split"] == "test"
    backwards = splits["text"].map(lambda text: " ".join(text.split()[::-1]))
    others = splits.copy()
    others.loc[in_test, "text"] = backwards[in_test] + " flibbertigibbet gobbledygook"
    others.loc[in_test, "label"] = 1 - splits.loc[in_test, "label"]
    return others


def test_other_test_rows_change_no_choice(
    small_project: Callable[..., Path],
    mlflow_database: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    project = small_project()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_database(project / "mlflow.db"))
    run_stages("ingest", "clean", "split")
    again = shutil.copytree(project, tmp_path_factory.mktemp("again"), dirs_exist_ok=True)
    stages = ("vocab", "pad", "baseline", "train")
    run_stages(*stages)
    before, test_ids, test_answers = (
        chosen(),
        (artifacts.PADDED / "test/ids.npy").read_bytes(),
        answers("test"),
    )

    monkeypatch.chdir(again)
    splits = pd.read_parquet(SPLIT)
    others = other_test_rows(splits)
    in_test = splits["split"] == "test"
    assert in_test.sum() > 50
    assert (splits[["text", "label"]] != others[["text", "label"]]).all(axis=1).equals(in_test)
    others.to_parquet(SPLIT, index=False)
    run_stages(*stages)

    after = chosen()
    assert {Path(name).name for name in after} >= {
        "tokenizer.json",
        "weights.safetensors",
        "linear.safetensors",
    }
    assert after.keys() == before.keys()
    assert [name for name, content in after.items() if content != before[name]] == []
    # The stages did read the new test rows.
    assert (artifacts.PADDED / "test/ids.npy").read_bytes() != test_ids
    assert (answers("test")["label"] != test_answers["label"]).all()
    assert (answers("test")["probability_1"] != test_answers["probability_1"]).any()
