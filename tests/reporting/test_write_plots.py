from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference
from support.answers import answers_frame, class_answers, some_classes, two

from sentigate.errors import DataError
from sentigate.evaluation.curve_points import (
    MAX_POINTS,
    beside_precision_recall,
    beside_roc,
    class_curves,
    precision_recall_points,
    roc_points,
)
from sentigate.evaluation.slices import slice_figures
from sentigate.model.answers import predicted_labels
from sentigate.model.labels import BINARY, Classes
from sentigate.reporting import draw
from sentigate.reporting.write_plots import write_plots

FILES = {
    *("calibration.csv", "confusion.csv", "precision_recall.csv", "roc.csv"),
    *("calibration.png", "confusion.png", "precision_recall.png", "roc.png"),
    *("training.png", "slices.png"),
}


TRAINING = pd.DataFrame(
    {
        "epoch": [0, 1, 2, 3],
        "train_loss": [0.6, 0.4, 0.3, 0.2],
        "validation_loss": [0.5, 0.45, 0.42, 0.44],
        "validation_accuracy": [0.7, 0.8, 0.82, 0.83],
        "kept": [0, 0, 1, 0],
    }
)


def inputs(rows: int = 3000, slices: tuple[str, ...] = ("films", "tweets"), seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(rows) % 2)
    signs = 2 * labels - 1
    probabilities = 1 / (1 + np.exp(-1.5 * signs - rng.normal(0, 1.5, rows)))
    names = np.array(slices)[np.arange(rows) % len(slices)]
    model = two(probabilities.astype(np.float32))
    return {
        "labels": labels,
        "probabilities": model,
        "predicted": predicted_labels(model),
        "baseline_probabilities": two(1 / (1 + np.exp(-signs - rng.normal(0, 1.5, rows)))),
        "classes": BINARY,
        "training": TRAINING,
        "slices": slice_figures(answers_frame(labels, model, names), BINARY),
    }


def class_inputs(classes: Classes, rows: int = 2000) -> dict[str, Any]:
    labels, model = class_answers(classes.count, rows)
    _, baseline = class_answers(classes.count, rows, seed=9)
    return {
        "labels": labels,
        "probabilities": model,
        "predicted": predicted_labels(model),
        "baseline_probabilities": (model + baseline) / 2,
        "classes": classes,
        "training": TRAINING,
        "slices": slice_figures(answers_frame(labels, model, "films"), classes),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots") / "made" / "here"
    write_plots(folder, **inputs())
    return folder


def test_every_file_is_written(folder):
    assert {path.name for path in folder.iterdir()} == FILES


def test_images_are_png_files_without_version(folder):
    for path in folder.glob("*.png"):
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert b"Software" not in content
        assert b"tIME" not in content


def test_same_input_gives_same_bytes_with_any_user_style(folder, tmp_path, monkeypatch):
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "axes.facecolor", "black")
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 20)
    write_plots(tmp_path, **inputs())
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert matplotlib.rcParams["font.size"] == 20


def test_matplotlib_is_imported_late_and_pyplot_is_not_imported(run_python, tmp_path):
    program = (
        "import sys, pathlib, sentigate.reporting.write_plots;"
        "assert 'matplotlib' not in sys.modules;"
        "sys.path.append('..');"
        "import test_write_plots; test_write_plots.write_plots(pathlib.Path(sys.argv[1]),"
        " **test_write_plots.inputs(10));"
        "assert 'matplotlib.figure' in sys.modules;"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    run_python(program, tmp_path, folder=Path(__file__).parent)


def test_confusion_has_a_row_for_each_test_row(folder):
    given, table = inputs(), pd.read_csv(folder / "confusion.csv")
    assert table.columns.tolist() == ["actual", "predicted"]
    got = pd.crosstab(table["actual"], table["predicted"]).to_numpy()
    expected = reference.confusion_matrix(given["labels"], given["predicted"])
    np.testing.assert_array_equal(got, expected)
    assert (table["actual"] == "positive").tolist() == (given["labels"] == 1).tolist()


def test_roc_has_the_area_of_all_points(folder):
    given, table = inputs(), pd.read_csv(folder / "roc.csv")
    assert table.columns.tolist() == ["fpr", "tpr", "baseline_tpr"]
    for column, key in (("tpr", "probabilities"), ("baseline_tpr", "baseline_probabilities")):
        area = reference.auc(table["fpr"], table[column])
        assert area == pytest.approx(
            reference.roc_auc_score(given["labels"], given[key][:, 1]), abs=0.005
        )


def test_precision_recall_has_the_average_precision_of_all_points(folder):
    given, table = inputs(), pd.read_csv(folder / "precision_recall.csv")
    assert table.columns.tolist() == ["recall", "precision", "baseline_precision"]
    for column, key in (
        ("precision", "probabilities"),
        ("baseline_precision", "baseline_probabilities"),
    ):
        area = (table["recall"].diff() * table[column]).sum()
        expected = reference.average_precision_score(given["labels"], given[key][:, 1])
        assert area == pytest.approx(expected, abs=0.005)


def test_curves_are_thinned_and_keep_their_ends():
    given = inputs(rows=20_000)
    full, _, _ = reference.roc_curve(given["labels"], given["probabilities"][:, 1])
    assert len(full) > MAX_POINTS
    roc = roc_points(given["labels"], given["probabilities"][:, 1])
    assert len(roc) == MAX_POINTS
    assert roc.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    points = precision_recall_points(given["labels"], given["probabilities"][:, 1])
    assert len(points) == MAX_POINTS
    assert points["recall"].is_monotonic_increasing
    assert points.iloc[0].tolist() == [0, 1]
    assert points.iloc[-1].tolist() == [1, 0.5]


def test_short_curves_are_not_thinned():
    roc = roc_points(np.array([0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4]))
    assert roc.to_numpy().tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]


def test_baseline_curve_is_interpolated_at_the_models_points():
    model = pd.DataFrame({"fpr": [0, 0.25, 1], "tpr": [0, 1, 1]})
    baseline = pd.DataFrame({"fpr": [0, 0.5, 1], "tpr": [0, 0.5, 1]})
    assert beside_roc(model, baseline)["baseline_tpr"].tolist() == [0, 0.25, 1]
    model = pd.DataFrame({"recall": [0, 0.25, 0.5, 0.75, 1], "precision": 1.0})
    baseline = pd.DataFrame({"recall": [0, 0.5, 1], "precision": [1, 0.8, 0.6]})
    got = beside_precision_recall(model, baseline)["baseline_precision"].tolist()
    assert got == [1, 0.8, 0.8, 0.6, 0.6]


def test_calibration_counts_every_row(folder):
    table = pd.read_csv(folder / "calibration.csv")
    assert table["rows"].sum() == 3000
    assert table["mean_probability"].between(table["low"], table["high"]).all()


def test_the_kept_epoch_is_marked():
    figure = draw.training_chart(inputs()["training"])
    labels = [line.get_label() for line in figure.axes[0].get_lines()]
    assert "Kept: epoch 2" in labels


def test_only_the_thirty_largest_slices_are_drawn():
    table = inputs(rows=1000, slices=tuple(f"brand {n:02d}" for n in range(33)))["slices"]
    axes = draw.slices_chart(table).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [f"{row.slice} ({row.rows})" for row in table.head(30).itertuples()]
    assert axes.get_title(loc="center") == "Accuracy by slice, 30 largest of 33"


def test_odd_slice_names_are_drawn(tmp_path):
    odd = ("$unbalanced", "$\\frac{$", "two\nlines", "日本語 🎉", "x" * 500, "_under%")
    write_plots(tmp_path, **inputs(rows=60, slices=odd))
    axes = draw.slices_chart(inputs(rows=60, slices=odd)["slices"]).axes[0]
    names = {label.get_text() for label in axes.get_yticklabels()}
    assert {"two lines (10)", "$unbalanced (10)", "x" * 39 + "… (10)"} <= names


def test_two_rows_and_one_epoch_are_enough(tmp_path):
    given = inputs(rows=2)
    given["training"] = given["training"].head(1)
    write_plots(tmp_path, **given)
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_one_class_is_an_error_and_writes_no_file(tmp_path):
    given = inputs(rows=4)
    given["labels"] = np.ones(4, dtype=int)
    with pytest.raises(DataError, match="all of one class"):
        write_plots(tmp_path / "new", **given)
    assert not (tmp_path / "new").exists()


def test_baseline_of_another_length_is_an_error(tmp_path):
    given = inputs(rows=4)
    given["baseline_probabilities"] = two([0.5])
    with pytest.raises(DataError, match="equally long"):
        write_plots(tmp_path, **given)


@pytest.mark.parametrize("count", [3, 4, 7, 12, 30, 64])
def test_files_of_several_classes_hold_their_means(tmp_path: Path, count: int) -> None:
    given = class_inputs(some_classes(count))
    write_plots(tmp_path, **given)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    roc = pd.read_csv(tmp_path / "roc.csv")
    assert roc.columns.tolist() == ["fpr", "tpr", "baseline_tpr"]
    precision_recall = pd.read_csv(tmp_path / "precision_recall.csv")
    assert precision_recall.columns.tolist() == ["recall", "precision", "baseline_precision"]
    for prefix, key in (("", "probabilities"), ("baseline_", "baseline_probabilities")):
        present = np.unique(given["labels"])
        scores = [(given["labels"] == k, given[key][:, k]) for k in present]
        area = reference.auc(roc["fpr"], roc[f"{prefix}tpr"])
        expected = np.mean([reference.roc_auc_score(*score) for score in scores])
        assert area == pytest.approx(expected, abs=0.01)
        area = (precision_recall["recall"].diff() * precision_recall[f"{prefix}precision"]).sum()
        expected = np.mean([reference.average_precision_score(*score) for score in scores])
        assert area == pytest.approx(expected, abs=0.01)
    confusion = pd.read_csv(tmp_path / "confusion.csv")
    names = np.array(given["classes"].names)
    assert confusion["actual"].tolist() == names[given["labels"]].tolist()
    assert confusion["predicted"].tolist() == names[given["predicted"]].tolist()
    calibration = pd.read_csv(tmp_path / "calibration.csv")
    right = (calibration["positives"] * calibration["rows"]).sum()
    assert right == pytest.approx((given["labels"] == given["predicted"]).sum(), abs=0.01)


@pytest.mark.parametrize("count", [2, 4, 7, 12])
def test_every_cell_of_the_confusion_matrix_is_written(count: int) -> None:
    given = class_inputs(some_classes(count))
    figure = draw.confusion_chart(given["labels"], given["predicted"], given["classes"])
    axes = figure.axes[0]
    cells = reference.confusion_matrix(given["labels"], given["predicted"])
    written = [text.get_text() for text in axes.texts][::2]
    assert written == [f"{cell:,}" for cell in cells.ravel()]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == list(given["classes"].names)


def test_each_class_has_a_curve_and_the_averages_are_named() -> None:
    given = class_inputs(some_classes(4))
    both = given["probabilities"], given["baseline_probabilities"]
    curves = [class_curves(given["labels"], values, roc_points) for values in both]
    figure = draw.roc_chart(curves, given["labels"], both, given["classes"])
    assert len(figure.axes[0].lines) == 4 + 3
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    area = np.mean([reference.roc_auc_score(given["labels"] == k, both[0][:, k]) for k in range(4)])
    assert names[0] == f"Model (mean AUC {area:.3f})"
    assert names[1].startswith("Baseline (mean AUC ")
    assert [name.split(" (")[0] for name in names[3:]] == list(given["classes"].names)


def test_a_class_without_test_rows_has_no_curve(tmp_path: Path) -> None:
    given = class_inputs(some_classes(5))
    kept = given["labels"] != 2
    for key in ("labels", "probabilities", "predicted", "baseline_probabilities"):
        given[key] = given[key][kept]
    write_plots(tmp_path, **given)
    assert {path.name for path in tmp_path.iterdir()} == FILES
    curves = class_curves(given["labels"], given["probabilities"], roc_points)
    assert list(curves) == [0, 1, 3, 4]


def test_odd_names_of_classes_are_drawn(tmp_path: Path) -> None:
    names = ("$unbalanced", "$\\frac{$", "日本語 🎉", "x" * 300)
    write_plots(tmp_path / "four", **class_inputs(Classes(names=names), rows=200))
    write_plots(tmp_path / "two", **class_inputs(Classes(names=names[:2]), rows=200))
    axes = draw.confusion_chart(np.array([0, 1]), np.array([0, 1]), Classes(names=names)).axes[0]
    assert axes.get_xticklabels()[3].get_text() == "x" * 17 + "…"
