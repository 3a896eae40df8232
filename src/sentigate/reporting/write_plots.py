"""Write the plots of a test run: PNG files for people, and CSV files for `dvc plots`.

The same input gives the same bytes: figures are drawn off screen in a fixed style, without pyplot
and its global state, and the files hold no times or versions.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from sentigate import artifacts
from sentigate.errors import DataError
from sentigate.evaluation.answers import FloatArray, IntArray, check_answers, check_labels
from sentigate.evaluation.calibration import calibration_table
from sentigate.evaluation.curve_points import (
    beside_precision_recall,
    beside_roc,
    class_curves,
    mean_precision_recall,
    mean_roc,
    precision_recall_points,
    roc_points,
)
from sentigate.model.labels import Classes

from . import draw

CHARTS = {
    "Confusion matrix": "confusion",
    "ROC": "roc",
    "Precision and recall": "precision_recall",
    "Calibration": "calibration",
    "Training": "training",
    "Slices": "slices",
}
"""Title -> name of the PNG file, in the order of the report."""


def write_plots(
    folder: Path,
    *,
    labels: IntArray,
    probabilities: FloatArray,
    predicted: IntArray,
    baseline_probabilities: FloatArray,
    classes: Classes,
    training: pd.DataFrame,
    slices: pd.DataFrame,
    bins: int = 15,
) -> None:
    """Write the plots, and the data of the plots that `dvc plots` compares, into ``folder``.

    confusion, roc, precision_recall and calibration each become a CSV and a PNG file; training and
    slices each become a PNG file. With more than two classes, roc.csv and precision_recall.csv have
    the mean of the curves of each class against the rest, and calibration.csv compares confidence
    with accuracy.

    Args:
        folder: Output folder; created if it does not exist.
        labels: (rows,) true classes of the test rows, 0 to K-1; at least two occur.
        probabilities: (rows, K) the model's probabilities.
        predicted: (rows,) the classes that the model answered, 0 to K-1.
        baseline_probabilities: (rows, K) the baseline's probabilities.
        classes: Names of the K classes.
        training: Table as ``training.engine.fit`` returns it.
        slices: Table as ``slice_figures`` returns it.
        bins: Number of bins in the calibration plot.

    Raises:
        DataError: There are no rows or only one class, lengths differ, or values are out of range.
        OSError: ``folder`` cannot be written to.
    """
    from matplotlib import style

    labels, probabilities = check_answers(labels, probabilities)
    _, baseline_probabilities = check_answers(labels, baseline_probabilities)
    if labels.min() == labels.max():
        raise DataError("the test rows are all of one class; plots need at least two classes")
    labels, predicted = check_labels(labels, predicted)
    names = np.array(classes.names)
    confusion = pd.DataFrame({"actual": names[labels], "predicted": names[predicted]})
    both = probabilities, baseline_probabilities
    roc = [class_curves(labels, values, roc_points) for values in both]
    precision_recall = [class_curves(labels, values, precision_recall_points) for values in both]
    calibration = calibration_table(labels, probabilities, predicted, bins)

    folder.mkdir(parents=True, exist_ok=True)
    for written, table in (
        (artifacts.CONFUSION, confusion),
        (artifacts.ROC, beside_roc(*(mean_roc(part.values()) for part in roc))),
        (
            artifacts.PRECISION_RECALL,
            beside_precision_recall(
                *(mean_precision_recall(part.values()) for part in precision_recall)
            ),
        ),
        (artifacts.CALIBRATION, calibration),
    ):
        path = folder / written.path.name
        table.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")
    # "default" comes first, because a user's matplotlibrc must not change a versioned file.
    with style.context(["default", draw.STYLE]), warnings.catch_warnings():
        # The font may lack characters of a slice's name: it shows boxes, without a warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for name, figure in {
            "confusion": draw.confusion_chart(labels, predicted, classes),
            "roc": draw.roc_chart(roc, labels, both, classes),
            "precision_recall": draw.precision_recall_chart(
                precision_recall, labels, both, classes
            ),
            "calibration": draw.calibration_chart(
                calibration, labels, probabilities, predicted, classes, bins
            ),
            "training": draw.training_chart(training),
            "slices": draw.slices_chart(slices),
        }.items():
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
