"""The packaged model as MLflow loads it: its inputs and answers, and what it carries."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from support.project import ROOT
from support.registry import SEVEN, TEXTS, THREE, write_files

from sentigate.model.columns import Columns
from sentigate.model.labels import BINARY, Classes
from sentigate.model.predictor import Predictor
from sentigate.registry.package import model_sha256, package_model
from sentigate.registry.versions import add_version
from sentigate.tracking.connection import tracking_uri
from sentigate.tracking.ended_run import EndedRun

Model = Callable[[Any], pd.DataFrame]


def test_a_served_model_answers_as_the_predictor_does(served: Model, files: Path) -> None:
    answers, expected = served(TEXTS), Predictor(files).judge(TEXTS)
    assert answers["label"].tolist() == expected.labels
    assert set(answers["label"]) == {"positive", "negative"}
    positive = expected.probabilities[:, 1]
    assert answers["label"].tolist() == np.where(positive >= 0.5, "positive", "negative").tolist()
    assert np.abs(answers["probability_positive"] - positive).max() < 1e-6
    assert answers["note"].tolist() == expected.notes
    assert "nothing to go by" in answers["note"][2]
    assert answers["note"][5] == "cut: 24 of 10,000 tokens read"


@pytest.mark.parametrize("classes", [BINARY, THREE, SEVEN], ids=lambda classes: classes.count)
def test_a_served_model_has_a_column_for_each_class(classes: Classes, tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", classes)
    model = mlflow.pyfunc.load_model(str(package_model(files, tmp_path)))
    answers, expected = model.predict(TEXTS), Predictor(files).judge(TEXTS)
    columns = [f"probability_{name}" for name in classes.names]
    assert answers.columns.tolist() == ["label", "confidence", *columns, "note"]
    assert model.metadata.get_output_schema().input_names() == answers.columns.tolist()
    kinds = [column.type.name for column in model.metadata.get_output_schema().inputs]
    assert kinds == ["string", "float", *["float"] * classes.count, "string"]
    probabilities = answers[columns].to_numpy()
    assert probabilities.dtype == np.float32
    assert np.abs(probabilities - expected.probabilities).max() < 1e-6
    assert answers["label"].tolist() == expected.labels
    assert len(set(expected.labels)) > 1
    assert set(expected.labels) <= set(classes.names)
    assert answers["confidence"].tolist() == probabilities.max(axis=1).tolist()
    empty = model.predict([])
    assert empty.shape == (0, classes.count + 3)
    # In the way of MLflow's server.
    rows = json.loads(json.dumps(answers.to_dict("records")))
    assert [row["confidence"] for row in rows] == answers["confidence"].tolist()


def test_the_label_follows_the_threshold_of_the_model(files: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(files, tmp_path / "files")
    about = json.loads((copied / "model.json").read_text("utf-8"))
    positive = Predictor(files)(TEXTS)[:, 1]
    threshold = float(positive.max())  # above 0.5, as both labels occur without a threshold
    (copied / "model.json").write_text(json.dumps(about | {"threshold": threshold}), "utf-8")
    answers = mlflow.pyfunc.load_model(str(package_model(copied, tmp_path))).predict(TEXTS)
    expected = np.where(positive >= threshold, "positive", "negative")
    assert answers["label"].tolist() == expected.tolist()
    assert set(expected) == {"positive", "negative"}
    assert np.abs(answers["probability_positive"] - positive).max() < 1e-6
    of_label = np.where(expected == "positive", positive, 1 - positive)
    assert np.abs(answers["confidence"] - of_label).max() < 1e-6
    assert (answers["confidence"] < 0.5).any()


@pytest.mark.parametrize(
    "wrong",
    [
        *(None, 3, "a bare text", [None], ["a", None], [1.5], [["a"]], {"text": "a"}, b"a"),
        *(pd.Series([1, 2]), pd.Series(["a", None]), np.array([["a"]]), np.array("a"), {"a"}),
        *(pd.DataFrame({"stars": [1]}), pd.DataFrame({"text": [["a"]]})),
        pd.DataFrame([["a", "b"]], columns=["text", "text"]),
    ],
    ids=repr,
)
def test_wrong_input_is_refused(served: Model, wrong: Any) -> None:
    with pytest.raises(MlflowException):
        served(wrong)


TABLE = pd.DataFrame(
    {"title": ["two hours", ""], "text": ["fine film", "my word"], "stars": [1, 5]}, index=[7, 3]
)


@pytest.mark.parametrize(
    "given",
    [
        TABLE,
        TABLE[["text"]],
        TABLE[["text"]].astype("category"),
        TABLE[["stars", "text"]].rename(columns={"text": "review"}),  # the only column of texts
        TABLE["text"],
        TABLE["text"].to_numpy(object),
        TABLE["text"].to_numpy(str),
        tuple(TABLE["text"]),
    ],
    ids=lambda given: f"{type(given).__name__} {getattr(given, 'shape', '')}",
)
def test_tables_series_and_arrays_get_the_answers_of_a_list(served: Model, given: Any) -> None:
    expected, answers = served(TABLE["text"].tolist()), served(given)
    probabilities = answers["probability_positive"].tolist()
    assert probabilities == expected["probability_positive"].tolist()
    assert len(set(probabilities)) == 2
    rows = [7, 3] if isinstance(given, pd.DataFrame | pd.Series) else [0, 1]
    assert answers.index.tolist() == rows  # so that answers can be joined to the given rows


def test_a_table_with_two_possible_text_columns_is_refused(served: Model) -> None:
    with pytest.raises(MlflowException) as error:
        served(TABLE.rename(columns={"text": "body"}))
    assert str(error.value) == (
        "the model was trained on the column 'text'; the table has 'title', 'body', 'stars', of "
        "which 2 may hold the texts; rename one to 'text', or give a list of texts"
    )
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_model_reads_the_columns_that_it_was_trained_on(files: Path, tmp_path: Path) -> None:
    """A model without columns.json reads ``text``, as in the tests above."""
    shutil.copytree(files, tmp_path / "files")
    Columns(text="title", context="stars").save(tmp_path / "files")
    package = package_model(tmp_path / "files", tmp_path)
    predict: Model = mlflow.pyfunc.load_model(str(package)).predict
    expected, answers = predict(["__context_1 two hours", ""]), predict(TABLE)
    assert answers["probability_positive"].tolist() == expected["probability_positive"].tolist()


def test_a_model_of_several_columns_joins_them_and_its_signature_has_them(
    files: Path, tmp_path: Path
) -> None:
    shutil.copytree(files, tmp_path / "files")
    Columns(text=("title", "text"), context=("brand", "stars")).save(tmp_path / "files")
    package = package_model(tmp_path / "files", tmp_path)
    model = mlflow.pyfunc.load_model(str(package))
    texts = ["__context_brand__acme __context_stars__1 two hours fine film", "my word"]
    table = TABLE.assign(brand=["Acme", None], stars=[1, None])
    expected, answers = model.predict(texts), model.predict(table)
    assert answers["probability_positive"].tolist() == expected["probability_positive"].tolist()
    assert len(set(answers["probability_positive"])) == 2
    inputs = [(each.name, each.required) for each in model.metadata.get_input_schema().inputs]
    assert inputs == [("title", True), ("text", True), ("brand", False), ("stars", False)]
    with pytest.raises(MlflowException, match="trained on the columns 'title', 'text'"):
        model.predict(table.drop(columns="title"))


def test_half_a_surrogate_pair_is_refused(served: Model) -> None:
    with pytest.raises(MlflowException, match=r"text 1 \(from 0\) holds half a") as error:
        served(["fine", "no \ud800"])
    assert error.value.error_code == "INVALID_PARAMETER_VALUE"


def test_nothing_is_pickled(run: EndedRun, package: Path, registry: Path) -> None:
    add_version(run, package, "logged", {})
    logged = [path for path in (registry / "mlartifacts").rglob("*") if path.is_file()]
    assert {path.name for path in logged} >= {"MLmodel", "weights.safetensors", "served_model.py"}
    for path in logged:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"}, path
        assert not path.read_bytes().startswith(b"\x80"), f"{path} looks like a pickle"


def test_a_model_needs_only_the_code_that_it_carries(
    run: EndedRun, package: Path, registry: Path
) -> None:
    """Predicts in another process, in which importing sentigate fails."""
    add_version(run, package, "logged", {})
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.modules['sentigate'] = None\n"
        "import mlflow; mlflow.set_tracking_uri(sys.argv[1])\n"
        "print(mlflow.pyfunc.load_model(sys.argv[2]).predict(['fine film'])['label'][0])\n"
        "print(sorted(n for n in sys.modules if n.startswith('sentigate_model.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tracking_uri(), "models:/logged/1"],
        cwd=registry, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    label, modules = done.stdout.splitlines()
    assert label in {"positive", "negative"}
    # It carries no module that it does not import.
    folder = ROOT / "src/sentigate/model"
    paths = [path.relative_to(folder) for path in folder.rglob("*.py")]
    modules_there = {
        ".".join(["sentigate_model", *path.with_suffix("").parts]).removesuffix(".__init__")
        for path in paths
    } - {"sentigate_model"}
    assert modules == str(sorted(modules_there))


def test_requirements_are_pinned_to_public_versions(package: Path) -> None:
    lines = (package / "requirements.txt").read_text().splitlines()
    assert any(line.startswith("torch==") for line in lines)
    assert all("==" in line and "+" not in line for line in lines)


def test_packaging_leaves_no_module_behind(files: Path, tmp_path: Path) -> None:
    package_model(files, tmp_path)
    assert not [path for path in sys.path if str(tmp_path) in path]
    assert not [name for name in sys.modules if name.startswith("sentigate_model")]


def test_the_hash_of_the_files_covers_all_that_answers(files: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(files, tmp_path / "files")
    assert model_sha256(copied) == model_sha256(files)
    description = copied / "model.json"
    description.write_text(description.read_text("utf-8").replace("0.", "1.", 1), "utf-8")
    assert model_sha256(copied) != model_sha256(files)
