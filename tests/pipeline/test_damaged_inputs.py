"""A stage that reads a damaged file names the file and `dvc repro`, in one line."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.params import set_value, tiny_values, write_values
from support.project import ROOT, put_small_table

from pipeline.stage import run
from sentigate import artifacts
from sentigate.artifacts import STAGES

READ = [
    ("clean", artifacts.RAW_TEXTS.path),
    ("split", artifacts.CLEAN_TEXTS.path),
    ("vocab", artifacts.SPLIT_TEXTS.path),
    ("pad", artifacts.SPLIT_TEXTS.path),
    ("pad", artifacts.VOCAB_TOKENIZER),
    ("baseline", artifacts.SPLIT_TEXTS.path),
    ("train", artifacts.PADDED / "train/ids.npy"),
    ("train", artifacts.PADDED / "validation/labels.npy"),
    ("train", artifacts.VOCAB_TOKENIZER),
    ("evaluate", artifacts.TRAINED_MODEL / "model.json"),
    ("evaluate", artifacts.TRAINED_WEIGHTS),
    ("evaluate", artifacts.PADDED / "test/lengths.npy"),
    ("evaluate", artifacts.PADDED / "test/rows.parquet"),
    ("evaluate", artifacts.SPLIT_TEXTS.path),
    ("evaluate", artifacts.BASELINE_REPORT),
    ("evaluate", artifacts.BASELINE_PREDICTIONS.path),
    ("evaluate", artifacts.SPLIT_REPORT),
    ("evaluate", artifacts.EPOCHS.path),
    ("evaluate", artifacts.PADDED / "validation/rows.parquet"),
    ("evaluate", artifacts.PADDED / "train/labels.npy"),
    ("register", artifacts.RAW_TEXTS.path),
    ("register", artifacts.SPLIT_TEXTS.path),
    ("register", artifacts.TRAINED_MODEL / "tokenizer.json"),
    ("register", artifacts.TRAINED_MODEL / "model.json"),
    ("register", artifacts.TRAINED_WEIGHTS),
    ("register", artifacts.PREDICTIONS.path),
]
DAMAGE = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "other": lambda content: b"\x00\xff{]" * 50,
}


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Iterator[Path]:
    """Return a folder in which all stages except the last have run."""
    folder = tmp_path_factory.mktemp("project")
    values = tiny_values()
    set_value(values, "models.tiny.training.max_epochs", 1)
    write_values(values, folder)
    put_small_table(folder)
    (folder / "expectations").symlink_to(ROOT / "expectations")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_database(folder / "mlflow.db"))
        for name in STAGES[:-1]:
            run(name, function_of(name))
        yield folder


def function_of(stage: str) -> object:
    module = importlib.import_module(f"pipeline.{stage}")
    return getattr(module, "register_model" if stage == "register" else stage)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize(("stage", "name"), READ, ids=str)
def test_one_line_names_the_file(project: Path, stage: str, name: Path, how: str) -> None:
    path = project / name
    content = path.read_bytes()
    path.write_bytes(DAMAGE[how](content))
    try:
        with pytest.raises(SystemExit) as ended:
            run(stage, function_of(stage))
    finally:
        path.write_bytes(content)
    message = str(ended.value.code)
    assert message.startswith(f"sentigate {stage}: ")
    assert f" {name} is damaged" in message
    assert "`dvc repro` writes it again" in message
    assert len(message.splitlines()) == 1
    assert len(message) < 400


def test_a_split_whose_files_differ_in_length_is_refused(project: Path) -> None:
    path = project / artifacts.PADDED / "train/lengths.npy"
    content = path.read_bytes()
    np.save(path, np.load(path)[:10])
    try:
        with pytest.raises(SystemExit, match=r"lengths\.npy is damaged.*10 rows"):
            run("train", function_of("train"))
    finally:
        path.write_bytes(content)


def test_json_without_a_needed_key_is_reported_as_damaged(project: Path) -> None:
    path = project / artifacts.SPLIT_REPORT
    content = path.read_bytes()
    path.write_text("{}")
    try:
        with pytest.raises(SystemExit, match=r"reports/split\.json is damaged"):
            run("evaluate", function_of("evaluate"))
    finally:
        path.write_bytes(content)
