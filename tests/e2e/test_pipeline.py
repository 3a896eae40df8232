"""The results of one whole `dvc repro`, from 600 texts to a registered model.

All tests read one project (``trained``), and do not change it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from support.commands import run_in, without_signs
from support.params import TINY_MODEL, tiny_values, write_values
from support.project import ROOT, copy_project
from support.trained import (
    MODEL,
    SENTIGATE,
    ask_mlflow,
    hash_of,
    ran,
    read_json,
)

from sentigate import artifacts
from sentigate.artifacts import STAGES
from sentigate.model.network.architecture import Architecture
from sentigate.settings.params import load_params
from sentigate.tracking.dotted_names import flatten
from sentigate.training.hardware import resolve_hardware


@pytest.fixture(scope="module")
def project(trained: tuple[Path, Any]) -> Path:
    project, done = trained
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return project


@pytest.fixture(scope="module")
def mlflow_facts(project: Path) -> dict[str, Any]:
    return ask_mlflow(project)


@pytest.fixture(scope="module")
def model_folder(project: Path) -> Path:
    (file,) = project.glob("mlartifacts/**/MLmodel")
    return file.parent


def fused_share(project: Path) -> float:
    """Return the linear model's share, which is chosen on few validation texts here."""
    share: float = read_json(project / artifacts.TRAINED_MODEL / "model.json")["fusion"]["share"]
    return share


# Outputs of the first run


def test_nine_stages_run_in_order(trained: tuple[Path, Any], project: Path) -> None:
    done = trained[1]
    # baseline does not depend on vocab and pad, and they do not depend on it.
    order = ran(done)
    assert sorted(order) == sorted(STAGES)
    without = [stage for stage in order if stage != "baseline"]
    assert without == [stage for stage in STAGES if stage != "baseline"]
    assert order.index("split") < order.index("baseline") < order.index("train")
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(project.glob("reports/failed/*"))
    assert not list(project.glob(".stage/*"))


def test_tables_have_the_documented_content(project: Path) -> None:
    raw = pd.read_parquet(project / artifacts.RAW_TEXTS.path)
    assert len(raw) == 600
    clean = pd.read_parquet(project / artifacts.CLEAN_TEXTS.path)
    assert set(clean["label"]) == {0, 1}
    assert set(clean["id"]) < set(raw["id"])
    split = pd.read_parquet(project / artifacts.SPLIT_TEXTS.path)
    pd.testing.assert_frame_equal(split[clean.columns], clean)
    assert set(split["split"]) == {"train", "validation", "test"}
    assert (split.groupby("group")["split"].nunique() == 1).all()
    taken = read_json(project / artifacts.CLEAN_REPORT)["rows"]
    assert taken["kept"] == len(clean)
    assert sum(taken.values()) == len(raw)


def test_tables_have_the_columns_in_artifacts(project: Path) -> None:
    tables = [*vars(artifacts).values(), *map(artifacts.padded_rows, ("train", "test"))]
    for path, columns in (table for table in tables if isinstance(table, artifacts.Table)):
        read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv
        found = read(project / path).dtypes.astype(str).to_dict()
        of_classes = [name for name in found if name[-2:] in ("_0", "_1")]
        assert {found.pop(name) for name in of_classes} <= {"float32"}
        assert bool(of_classes) == path.name.endswith("predictions.parquet")
        assert (path, list(found.items())) == (path, list(columns.items()))


def test_matrices_have_the_documented_shapes(project: Path) -> None:
    split = pd.read_parquet(project / artifacts.SPLIT_TEXTS.path)
    for name, part in split.groupby("split"):
        arrays = {
            array: np.load(project / artifacts.PADDED / f"{name}/{array}.npy", allow_pickle=False)
            for array in ("ids", "lengths", "labels")
        }
        assert arrays["ids"].dtype in (np.uint16, np.int32)
        assert arrays["ids"].shape == (len(part), 32)
        assert arrays["lengths"].dtype == np.int32
        assert arrays["labels"].dtype == np.int8
        rows = pd.read_parquet(project / artifacts.PADDED / f"{name}/rows.parquet")
        assert rows["id"].tolist() == part["id"].tolist()
        np.testing.assert_array_equal(arrays["labels"], part["label"])
        np.testing.assert_array_equal((arrays["ids"] != 0).sum(axis=1), arrays["lengths"])
        assert arrays["lengths"].min() >= 1


def test_tokenizer_and_model_have_the_documented_content(project: Path) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(project / artifacts.VOCAB_TOKENIZER))
    assert tokenizer.token_to_id("<pad>") == 0
    assert tokenizer.token_to_id("<unk>") == 1
    assert not {0} & set(tokenizer.encode("<pad> <unk>").ids)  # no text becomes padding
    assert sorted(path.name for path in (project / artifacts.TRAINED_MODEL).iterdir()) == [
        *(["linear.json", "linear.safetensors"] if fused_share(project) else []),
        "model.json",
        "tokenizer.json",
        "weights.safetensors",
    ]
    model = read_json(project / artifacts.TRAINED_MODEL / "model.json")
    params = load_params(project / "params.yaml")
    size = tokenizer.get_vocab_size()
    assert model == {
        "network": Architecture(**TINY_MODEL["network"]).model_dump(mode="json"),
        "vocabulary_size": size,
        "max_length": 32,
        "last_tokens": 0,
        "dataset": "csv",
        "model": "tiny",
        "classes": {"names": ["negative", "positive"], "ordered": False},
        "threshold": None,
        "threshold_metric": None,
        "cleaning": params.chosen_dataset.clean.steps.model_dump(),
        "start": "random",
        "fusion": model["fusion"],
        "precision": resolve_hardware(params.trainer, params.chosen_model.network).precision,
    }
    assert 0 <= model["fusion"]["share"] <= 1
    figures = read_json(project / artifacts.METRICS_REPORT)["fusion"]
    assert figures == {key: model["fusion"][key] for key in ("share", "temperature")}
    kept = Tokenizer.from_file(str(project / artifacts.TRAINED_MODEL / "tokenizer.json"))
    assert kept.to_str() == tokenizer.to_str()
    weights = load_file(project / artifacts.TRAINED_WEIGHTS)
    assert (size, 16) in {array.shape for array in weights.values()}
    assert all(np.isfinite(array).all() for array in weights.values())


def test_figures_are_computed_from_the_predictions(project: Path) -> None:
    metrics = read_json(project / artifacts.METRICS_REPORT)
    predictions = pd.read_parquet(project / artifacts.PREDICTIONS.path)
    assert list(predictions.columns)[:7] == [
        "id",
        "split",
        "slice",
        "label",
        "predicted",
        "network_predicted",
        "baseline_predicted",
    ]
    split = pd.read_parquet(project / artifacts.SPLIT_TEXTS.path)
    held_out = split.loc[split["split"] != "train"]
    assert predictions["id"].tolist() == held_out["id"].tolist()
    test = predictions.loc[predictions["split"] == "test"]
    for name, prefix in (("test", ""), ("network", "network_"), ("baseline", "baseline_")):
        answers = (test[f"{prefix}probability_1"] >= 0.5).astype("int8")
        assert test[f"{prefix}predicted"].tolist() == answers.tolist()
        accuracy = (answers == test["label"]).mean()
        assert metrics[name]["accuracy"] == pytest.approx(accuracy, abs=1e-6)
        low, high = metrics[name]["accuracy_low"], metrics[name]["accuracy_high"]
        assert 0 <= low <= accuracy <= high <= 1
        assert metrics[name]["rows"] == len(test)
    majority = max(test["label"].mean(), 1 - test["label"].mean())
    assert metrics["majority"]["accuracy"] == pytest.approx(majority, abs=1e-6)
    slices = pd.read_csv(project / artifacts.SLICES)
    assert slices["rows"].sum() == len(test)
    assert set(slices["slice"]) == set(test["slice"])
    failures = pd.read_csv(project / artifacts.FAILURES)
    assert set(failures["by"]) == {"length", "negation", "unknown tokens"}
    assert (failures.groupby("by")["rows"].sum() == len(test)).all()
    right = failures["rows"] - failures["errors"]
    assert right.groupby(failures["by"]).sum().eq(round(slices.eval("rows * accuracy").sum())).all()
    behaviour = pd.read_csv(project / artifacts.BEHAVIOUR)
    assert len(behaviour) == metrics["behaviour"]["cases"]
    assert behaviour["passed"].mean() == pytest.approx(metrics["behaviour"]["passed"], abs=1e-6)
    assert behaviour["probability"].nunique() > 10
    training = pd.read_csv(project / artifacts.EPOCHS.path)
    assert training["epoch"].tolist() == list(range(len(training)))
    assert 1 <= len(training) <= 4
    registration = read_json(project / artifacts.REGISTRATION)
    sentence, worse = (
        registration.pop(key) for key in ("beside_baseline", "network_worse_than_baseline")
    )
    assert "The model is not found to be worse than the linear baseline: " in sentence
    assert worse == sentence.startswith("The network alone is worse than the linear baseline: ")
    assert registration == {
        "name": MODEL,
        "version": 1,
        "alias": "champion",
        "promoted": True,
        "reason": "the first version",
        "worse_than_baseline": False,
    }


def test_reports_exist(project: Path) -> None:
    for stage in STAGES:
        verdict = read_json(project / artifacts.GATES / f"{stage}.json")
        assert verdict["stage"] == stage
        assert verdict["success"] is True
        assert verdict["rows"] > 0
        page = (project / artifacts.GATES / f"{stage}.html").read_text("utf-8")
        assert page.startswith("<!doctype html>")
        assert "passed" in page
    report = (project / artifacts.REPORT).read_text("utf-8")
    accuracy = read_json(project / artifacts.METRICS_REPORT)["test"]["accuracy"]
    assert "tiny" in report
    assert f"{accuracy * 100:.1f}" in report or f"{accuracy:.3f}" in report
    for out in dvc_outs(project):
        assert (project / out).exists(), out


def dvc_outs(project: Path) -> list[str]:
    lock = yaml.safe_load((project / "dvc.lock").read_text("utf-8"))
    return [out["path"] for stage in lock["stages"].values() for out in stage["outs"]]


def test_outputs_contain_no_path_and_no_run_id(
    project: Path, mlflow_facts: dict[str, Any], model_folder: Path
) -> None:
    """Another machine or another run writes the same bytes."""
    identifiers = [run["id"] for run in mlflow_facts["runs"]]
    assert identifiers
    words = [str(project), str(ROOT), model_folder.parent.name, *identifiers]
    files = [
        file
        for out in dvc_outs(project)
        for file in ([project / out] if (project / out).is_file() else (project / out).rglob("*"))
    ]
    assert len(files) > 40
    for file in files:
        if file.is_file():
            content = file.read_bytes()
            assert not [word for word in words if word.encode() in content], file


# MLflow


def test_one_run_has_all_params_figures_and_tags(
    project: Path, mlflow_facts: dict[str, Any]
) -> None:
    (run,) = mlflow_facts["runs"]
    assert run["name"] == "csv-tiny"
    assert run["status"] == "FINISHED"
    params = run["params"]
    assert params["dataset.name"] == "csv"
    assert params["model.name"] == "tiny"
    assert params["model.training.batch_size"] == "32"
    assert params["dataset.split.rule"] == "grouped"
    assert params["seed"] == "42"
    training = pd.read_csv(project / artifacts.EPOCHS.path)
    kept = training.loc[training["kept"] == 1].iloc[0]
    columns = {
        "train.log_loss": "train_loss",
        "validation.log_loss": "validation_loss",
        "validation.accuracy": "validation_accuracy",
    }
    assert set(run["history"]) == set(columns)
    for key, points in run["history"].items():
        steps, values = zip(*points, strict=True)
        figures = [*training[columns[key]], kept[columns[key]]]
        last = [len(training)]  # the kept epoch is logged again
        if key.startswith("validation."):  # and of the fused model, if it differs
            metric = key.removeprefix("validation.")
            fused = read_json(project / artifacts.METRICS_REPORT)["validation"][metric]
            if fused != pytest.approx(kept[columns[key]]):
                figures.append(fused)
                last *= 2
        assert [*steps] == [*range(len(training)), *last]
        assert values == pytest.approx(figures, abs=1e-5)
        assert run["metrics"][key] == pytest.approx(figures[-1], abs=1e-5)
    assert run["metrics"]["kept_epoch"] == kept["epoch"]
    assert not [name for name in run["metrics"] if name.startswith(("train_", "validation_"))]
    for name, value in flatten(read_json(project / artifacts.METRICS_REPORT)):
        if value is not None:
            assert run["metrics"][name] == pytest.approx(value)


def test_the_run_has_inputs_and_artifacts(project: Path, mlflow_facts: dict[str, Any]) -> None:
    (run,) = mlflow_facts["runs"]
    inputs = {item["name"]: item for item in run["inputs"]}
    assert set(inputs) == {"csv-raw", "csv-split"}
    for name, table in (("raw", artifacts.RAW_TEXTS), ("split", artifacts.SPLIT_TEXTS)):
        digest = hash_of(project / table.path)
        assert digest.startswith(inputs[f"csv-{name}"]["digest"])
        assert json.loads(inputs[f"csv-{name}"]["profile"])["sha256"] == digest
        assert inputs[f"csv-{name}"]["tags"]["mlflow.data.context"] == name
    wanted = {artifacts.GATES / f"{stage}.{kind}" for stage in STAGES for kind in ("json", "html")}
    wanted |= {artifacts.REPORT, artifacts.METRICS_REPORT}
    wanted |= {artifacts.EPOCHS.path, artifacts.PREDICTIONS.path}
    assert wanted - set(map(Path, run["artifacts"])) == set()


def test_one_version_with_alias_and_tags(project: Path, mlflow_facts: dict[str, Any]) -> None:
    (model,) = mlflow_facts["models"]
    assert model["name"] == MODEL
    assert {alias: int(number) for alias, number in model["aliases"].items()} == {"champion": 1}
    (version,) = mlflow_facts["versions"]
    assert version["version"] == 1
    assert version["run_id"] == mlflow_facts["runs"][0]["id"]
    tags = version["tags"]
    head = run_in(project, "git", "rev-parse", "HEAD").stdout.strip()
    assert tags["git_commit"].removesuffix("-dirty") == head
    assert mlflow_facts["runs"][0]["tags"]["git_commit"] == tags["git_commit"]
    metrics = read_json(project / artifacts.METRICS_REPORT)
    registration = read_json(project / artifacts.REGISTRATION)
    assert all(len(tags.pop(f"{what}_sha256")) == 64 for what in ("model", "files"))
    assert tags | {"git_commit": head} == {
        "table": "data/own/csv/small.csv",
        "reason": "the first version",
        "worse_than_baseline": "false",
        "network_worse_than_baseline": str(registration["network_worse_than_baseline"]).lower(),
        "dataset": "csv",
        "model": "tiny",
        "split": "grouped",
        "seed": "42",
        "git_commit": head,
        "raw_sha256": hash_of(project / artifacts.RAW_TEXTS.path),
        "split_sha256": hash_of(project / artifacts.SPLIT_TEXTS.path),
        "weights_sha256": hash_of(project / artifacts.TRAINED_WEIGHTS),
        "baseline": read_json(project / artifacts.BASELINE_REPORT)["chosen"],
        "test.accuracy": str(metrics["test"]["accuracy"]),
        "network.accuracy": str(metrics["network"]["accuracy"]),
        "baseline.accuracy": str(metrics["baseline"]["accuracy"]),
        "validation.log_loss": str(metrics["validation"]["log_loss"]),
    }


def test_the_model_contains_no_pickle(model_folder: Path) -> None:
    files = [path for path in model_folder.rglob("*") if path.is_file()]
    assert {"weights.safetensors", "tokenizer.json", "model.json"} <= {path.name for path in files}
    assert (model_folder / "artifacts/files/weights.safetensors").is_file()
    columns = {"text": "text", "context": None}
    assert read_json(model_folder / "artifacts/files/columns.json") == columns
    for path in files:
        assert path.suffix not in (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib")
        start = path.read_bytes()[:4]
        # Pickle protocols 2 to 5, and zip, which torch.save uses.
        assert not (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"), path
        assert not start.startswith(b"PK\x03\x04"), path


LOAD_ELSEWHERE = """
import json, logging, sys
logging.disable(logging.WARNING)
for name in ("sentigate", "pipeline"):
    sys.modules[name] = None  # importing it raises
import mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(["A fine film, warm and funny.", "", "I want my two hours back!"])
own = [m.__file__ for n, m in sys.modules.items() if n.startswith("sentigate_model.")]
print(json.dumps({"label": answers["label"].tolist(),
                  "confidence": answers["confidence"].tolist(),
                  "positive": answers["probability_positive"].tolist(), "own": own}))
"""


def test_the_model_predicts_without_this_repository(model_folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(model_folder, moved)
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", LOAD_ELSEWHERE, str(moved)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout)
    assert len(answers["label"]) == 3
    columns = (answers[name] for name in ("label", "confidence", "positive"))
    for label, confidence, positive in zip(*columns, strict=True):
        assert 0.5 <= confidence <= 1
        assert label == ("positive" if positive >= 0.5 else "negative")
        assert confidence == pytest.approx(max(positive, 1 - positive), abs=1e-6)
    assert answers["own"]
    assert all(Path(file).is_relative_to(moved) for file in answers["own"])


# The command


def test_predict_prints_label_confidence_and_text(project: Path) -> None:
    texts = ["A fine film, warm\n and funny.", "I want my two hours back!"]
    done = run_in(project, *SENTIGATE, "predict", *texts)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [text for _, _, text in rows] == ["A fine film, warm and funny.", texts[1]]
    for label, confidence, _ in rows:
        assert label in ("positive", "negative")
        assert 0.5 <= float(confidence) <= 1
        assert len(confidence) == len("0.1234")
    assert "Traceback" not in done.stderr


def test_predict_without_a_registered_model_is_reported(tmp_path: Path) -> None:
    copy_project(tmp_path)
    write_values(tiny_values(), tmp_path)
    done = run_in(tmp_path, *SENTIGATE, "predict", "A fine film.")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = without_signs(done.stderr).splitlines()
    assert line.startswith(
        f"sentigate: no model at models:/{MODEL}@champion in sqlite:///mlflow.db: "
    )
    assert "`make train` registers a model" in line
