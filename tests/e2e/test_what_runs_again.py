"""Which stages run again after a change. Each test changes its own copy of the project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.commands import environment_of, run_in, warm
from support.params import file_and_key, set_value, write_values
from support.trained import (
    DVC,
    ask_mlflow,
    copy_trained,
    ran,
    read_json,
)

from sentigate import artifacts
from sentigate.artifacts import STAGES


@pytest.fixture
def project(trained: tuple[Path, Any], tmp_path: Path) -> Path:
    return copy_trained(trained[0], tmp_path / "project")


def test_without_a_change_no_stage_runs(project: Path) -> None:
    done = run_in(project, *DVC, "repro")
    assert done.returncode == 0
    assert ran(done) == []
    assert "Data and pipelines are up to date." in done.stdout


# key, new value, and the stages that read the key; later stages run only if outputs differ.
READ_CLASSES = {"clean", "split", "baseline", "train", "evaluate", "register"}
PARAM_CHANGES: list[tuple[str, object, set[str]]] = [
    ("gates.min_coverage", 0.1, {"vocab"}),
    ("gates.max_unknown_share", 0.9, {"pad"}),
    ("gates.min_baseline_mcc", -0.9, {"baseline"}),
    ("gates.max_cut_share", 0.9, {"pad"}),
    ("models.tiny.min_validation_mcc", -0.9, {"train"}),
    ("models.lstm.min_validation_mcc", -0.9, set()),
    ("gates.max_served_difference", 0.1, {"register"}),
    ("gates.min_class_share", 0.2, {"clean"}),
    ("gates.max_size_difference", 0.2, {"split"}),
    ("gates.max_text_characters", 90_000, {"ingest"}),
    ("models.tiny.training.patience", 2, {"train"}),
    ("models.tiny.network.pooling", "mean", {"train"}),
    ("models.tiny.vocab.min_count", 3, {"vocab"}),
    ("models.tiny.max_length", 30, {"pad"}),
    ("models.lstm.training.patience", 9, set()),
    ("models.lstm.max_length", 9, set()),
    ("datasets/imdb.yaml:clean.steps.lowercase", False, set()),
    ("datasets/csv.yaml:clean.steps.lowercase", False, {"clean", "vocab", "train"}),
    ("datasets/csv.yaml:clean.drop_conflicts", False, {"clean"}),
    ("datasets/csv.yaml:labels.neutral", "positive", {"ingest", "clean"}),
    ("datasets/csv.yaml:classes.ordered", True, READ_CLASSES),
    ("datasets/csv.yaml:split.validation_size", 0.2, {"split"}),
    ("datasets/csv.yaml:gates.min_test_accuracy", 0.31, {"evaluate"}),
    ("datasets/csv.yaml:gates.min_rows", 50, {"ingest"}),
    ("evaluate.listed_errors", 3, {"evaluate"}),
    ("baseline.candidates.words.word_ngrams", [1, 1], {"baseline"}),
    ("register.alias", "best", {"register"}),
]  # fmt: skip
FILE_CHANGES = [
    "src/sentigate/data/splitting.py",
    "src/sentigate/evaluation/metrics.py",
    "src/sentigate/sources/vader.py",
    "src/sentigate/model/predictor.py",
    "src/sentigate/tracking/open_run.py",
    "pipeline/pad.py",
    "expectations/vocab.json",
    "data/own/csv/small.csv",
]
NO_REASON = [
    "README.md",
    "data/own/README.md",
    "requirements-dev.lock",
    "src/sentigate/cli/main.py",
    "src/sentigate/errors.py",
    "src/sentigate/settings/params.py",
    "src/sentigate/settings/dataset.py",
    "src/sentigate/artifacts.py",
    "src/sentigate/gates/page.py",
    "src/sentigate/gates/gate.html.j2",
]
LIBRARIES = {
    "matplotlib": {"evaluate"},
    "mlflow": {"register"},
    "tokenizers": {"vocab", "pad", "baseline", "train", "evaluate", "register"},
    "torch": {"vocab", "train", "evaluate", "register"},
}
ASK_DVC = """
import json, pathlib, sys
from dvc.repo import Repo
answers = []
for path, content in json.load(sys.stdin):
    path = pathlib.Path(path)
    before = path.read_bytes()
    path.write_text(content, "utf-8")
    try:
        answers.append(sorted(Repo(".").status()))
    finally:
        path.write_bytes(before)
answers.append(sorted(Repo(".").status()))
print(json.dumps(answers))
"""


def test_a_change_reruns_the_stages_that_read_it(project: Path) -> None:
    changes = []
    for key, value, _ in PARAM_CHANGES:
        name, key = file_and_key(key)
        values = yaml.safe_load((project / name).read_text("utf-8"))
        set_value(values, key, value)
        changes.append((name, yaml.safe_dump(values, sort_keys=False)))
    for name in FILE_CHANGES + NO_REASON:
        changes.append((name, (project / name).read_text("utf-8") + "\n"))
    pins = read_json(project / "libraries.json")
    for name in LIBRARIES:
        changes.append(("libraries.json", json.dumps(pins | {name: "99"})))
    done = subprocess.run(
        [sys.executable, "-c", ASK_DVC],
        cwd=project,
        env=warm(environment_of(project)),
        input=json.dumps(changes),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *answers, after = json.loads(done.stdout)
    assert after == []  # the original files need no run
    stages = yaml.safe_load((project / "dvc.yaml").read_text("utf-8"))["stages"]
    expected = {key: sorted(concerned) for key, _, concerned in PARAM_CHANGES}
    for name in FILE_CHANGES:
        folders = {name, *(folder.as_posix() for folder in Path(name).parents)}
        expected[name] = sorted(
            n
            for n, stage in stages.items()
            if folders & {dep.replace("${dataset}", "csv") for dep in stage["deps"]}
        )
    expected |= {name: [] for name in NO_REASON}
    expected |= {name: sorted(concerned) for name, concerned in LIBRARIES.items()}
    names = [*(key for key, _, _ in PARAM_CHANGES), *FILE_CHANGES, *NO_REASON, *LIBRARIES]
    assert dict(zip(names, answers, strict=True)) == expected
    assert expected["src/sentigate/data/splitting.py"]


def test_a_threshold_reruns_only_its_stage(project: Path) -> None:
    """The stage's outputs are the same, so no later stage runs and no version is added."""
    before = (project / "params.yaml").read_bytes()
    registered = (project / artifacts.REGISTRATION).read_bytes()
    for key, stage in (
        ("gates.min_coverage", "vocab"),
        ("models.tiny.min_validation_mcc", "train"),
    ):
        values: dict[str, Any] = yaml.safe_load(before)
        set_value(values, key, -0.5 if stage == "train" else 0.01)
        write_values(values, project)
        done = run_in(project, *DVC, "repro")
        assert done.returncode == 0, done.stderr
        assert ran(done) == [stage]
    assert (project / artifacts.REGISTRATION).read_bytes() == registered


def test_dvc_status_shows_only_the_nine_stages(project: Path) -> None:
    (project / "dvc.lock").rename(project / "dvc.lock.away")
    done = run_in(project, *DVC, "status", "--json")
    (project / "dvc.lock.away").rename(project / "dvc.lock")
    assert set(json.loads(done.stdout)) == {*STAGES}


def test_an_experiment_trains_with_the_values_of_its_options(project: Path) -> None:
    """``-S`` as in docs/changing.md: for a value in params.yaml, and for one that is left out."""
    settings = [
        "models.tiny.training.learning_rate=1e-05",
        "+models.tiny.network.head_dropout=0.25",
    ]
    done = run_in(project, *DVC, "exp", "run", *(f"-S{each}" for each in settings))
    assert done.returncode == 0, done.stderr[-3000:]
    assert ran(done)[0] == "train"
    assert (
        read_json(project / artifacts.TRAINED_MODEL / "model.json")["network"]["head_dropout"]
        == 0.25
    )
    parameters = [run["params"] for run in ask_mlflow(project)["runs"]]
    learned = [run for run in parameters if run.get("model.training.learning_rate") == "1e-05"]
    assert [run["model.network.head_dropout"] for run in learned] == ["0.25"]
