"""Seven ordered classes by settings alone: the whole pipeline, and everything after it.

The table has a title and a body, a score that is cut into bands, and folds under names of its own.
"""

from __future__ import annotations

import csv
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import run_in
from support.params import tiny_values, write_values
from support.project import SMALL_TABLE, commit_all, copy_project
from support.servers import serving
from support.trained import DVC, SENTIGATE, read_json

NAMES = ["awful", "bad", "poor", "so-so", "good", "great", "superb"]
WORDS = ["horrible", "boring", "weak", "average", "nice", "lovely", "brilliant"]
TEXT = "a brilliant film , brilliant !"


PARTS = {"training": "train", "dev": "validation", "held-out": "test"}
BANDS = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]


def rated(path: Path) -> None:
    """Give the small table scores from 1 to 7.4, a title with words that go with them, and folds.

    The titles of some rows are at the end of their texts instead.
    """
    table = pd.read_csv(path)
    rng = np.random.default_rng(0)
    stars = rng.integers(1, 8, len(table))
    title = pd.Series([f"{WORDS[star - 1]} {WORDS[star - 1]}" for star in stars])
    untitled = rng.random(len(table)) < 0.2
    table = table.drop(columns="sentiment").assign(
        score=(stars + rng.uniform(-0.4, 0.4, len(table))).round(2),
        title=title.mask(untitled, ""),
        text=table["text"].where(~untitled, table["text"] + " " + title),
        part=rng.choice(list(PARTS), len(table), p=[0.7, 0.1, 0.2]),
    )
    table.to_csv(path, index=False)


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Callable[[Path], str]
) -> Path:
    """Return a project in which the pipeline ran on a table with scores."""
    folder = copy_project(tmp_path_factory.mktemp("seven") / "project")
    rated(folder / SMALL_TABLE)
    values = tiny_values()
    entry = values["datasets"]["csv"]
    entry["classes"] = {"names": NAMES, "ordered": True}
    entry["labels"] = {str(star): name for star, name in enumerate(NAMES, 1)}
    entry["source"] |= {"text_column": ["title", "text"], "sentiment_column": "score"}
    entry["source"] |= {"bands": BANDS, "fold_column": "part", "folds": PARTS}
    entry["split"] = {"rule": "published"}
    values["gates"]["max_balance_difference"] = 0.2
    write_values(values, folder)
    commit_all(folder)
    mlflow_database(folder / "mlflow.db")
    done = run_in(folder, *DVC, "repro", timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_figures_are_those_of_ordered_classes(project: Path) -> None:
    metrics = read_json(project / "reports/metrics.json")
    assert list(metrics["classes"]) == NAMES
    assert {"macro_f1", "mean_absolute_error", "quadratic_weighted_kappa"} <= set(metrics["test"])
    assert not {"precision", "recall", "f1"} & set(metrics["test"])
    assert "behaviour" not in metrics
    rows = metrics["test"]["rows"]
    assert sum(figures["rows"] for figures in metrics["classes"].values()) == rows
    assert metrics["test"]["accuracy"] > metrics["majority"]["accuracy"] + 0.2


def test_the_table_is_read_as_described(project: Path) -> None:
    table = pd.read_csv(project / SMALL_TABLE, keep_default_na=False).set_index("id")
    splits = pd.read_parquet(project / "data/split/texts.parquet").set_index("id")
    given = table.loc[splits.index]
    assert (splits["split"] == given["part"].map(PARTS)).all()
    assert (splits["label"] == given["score"].round() - 1).all()
    begins = [
        text.startswith(title) for title, text in zip(given["title"], splits["text"], strict=True)
    ]
    assert all(begins)
    assert (given["title"] == "").any()


def test_a_file_without_a_title_is_refused(project: Path) -> None:
    pd.read_csv(project / SMALL_TABLE)[["id", "text"]].to_csv(project / "new.csv", index=False)
    command = (*SENTIGATE, "predict", "--file", "new.csv", "--out", "answers.csv")
    done = run_in(project, *command)
    assert done.returncode == 1
    assert "no column 'title', but the model was trained on columns 'title', 'text'" in done.stderr
    assert not (project / "answers.csv").exists()


def test_the_report_names_every_class(project: Path) -> None:
    page = (project / "reports/report.html").read_text("utf-8")
    assert all(name in page for name in NAMES)
    assert "The classes are awful, bad, poor, so-so, good, great, superb." in page


def test_a_text_is_answered_with_one_of_the_classes(project: Path) -> None:
    done = run_in(project, *SENTIGATE, "predict", TEXT)
    label, confidence, text = done.stdout.strip().split("\t")
    assert label == "superb", done.stderr
    assert 1 / 7 < float(confidence) <= 1
    assert text == TEXT


def test_a_file_gets_a_column_for_each_class_on_demand(project: Path) -> None:
    command = (*SENTIGATE, "predict", "--file", SMALL_TABLE, "--out")
    assert run_in(project, *command, "short.csv").returncode == 0
    assert run_in(project, *command, "long.csv", "--probabilities").returncode == 0
    with (project / "long.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [row["label"] == NAMES[round(float(row["score"])) - 1] for row in rows]
    assert np.mean(right) > 0.5
    for row in rows:
        chances = [float(row[f"probability_{name}"]) for name in NAMES]
        assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert NAMES[int(np.argmax(chances))] == row["label"]
        assert float(row["confidence"]) == max(chances)
    with (project / "short.csv").open(newline="") as file:
        short = next(csv.DictReader(file))
    assert not [name for name in short if name.startswith("probability")]


def test_an_answer_is_explained_for_any_class(project: Path) -> None:
    done = run_in(project, *SENTIGATE, "explain", TEXT, "--class", "awful")
    assert done.returncode == 0, done.stderr
    page = (project / "reports/explanation.html").read_text("utf-8")
    assert all(name in page for name in NAMES)
    done = run_in(project, *SENTIGATE, "explain", TEXT, "--class", "splendid")
    assert done.returncode != 0
    assert "splendid" in done.stderr
    assert all(name in done.stderr for name in NAMES)


def test_the_server_gives_a_probability_for_each_class(project: Path) -> None:
    with serving(project) as url:
        request = urllib.request.Request(
            f"{url}/invocations",
            json.dumps({"inputs": [TEXT, ""]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as response:
            first, empty = json.load(response)["predictions"]
    assert first["label"] == "superb"
    assert [name for name in first if name.startswith("probability_")] == [
        f"probability_{name}" for name in NAMES
    ]
    assert empty["note"].startswith("nothing to go by")


def test_the_evaluated_and_the_served_probabilities_agree(project: Path) -> None:
    predictions = pd.read_parquet(project / "reports/predictions.parquet")
    gate = read_json(project / "reports/gates/register.json")
    assert gate["success"]
    columns = [f"probability_{k}" for k in range(7)]
    assert np.allclose(predictions[columns].sum(axis=1), 1, atol=1e-5)
