"""Draw the six charts of a test run, off screen, without pyplot and its global state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sentigate.evaluation.answers import FloatArray, IntArray
from sentigate.evaluation.intervals import wilson_interval
from sentigate.model.labels import CLASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MAX_SLICES = 30
"""Most bars in a plot that is still readable."""

# The palette of Okabe and Ito, which colour-blind people can tell apart.
BLUE, ORANGE, GREEN, AMBER, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9"
GREY, INK = "#8C8C8C", "#222222"

STYLE: dict[str, Any] = {
    "figure.dpi": 120,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 7,
    "ytick.major.pad": 5,
    "lines.linewidth": 2,
    "legend.frameon": False,
}


def _figure(width: float = 6.4, height: float = 4.6) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def _unit_square(axes: Axes) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        _percent(axis)
        axis.set_ticks(np.linspace(0, 1, 6))


def _percent(axis: Axis, decimals: int | None = 0) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals, symbol=" %"))


def confusion_chart(table: pd.DataFrame) -> Figure:
    """Draw counts and shares of each actual class, from the columns actual and predicted."""
    from matplotlib.colors import LinearSegmentedColormap

    counts = pd.crosstab(table["actual"], table["predicted"]).reindex(
        index=CLASSES, columns=CLASSES, fill_value=0
    )
    cells = counts.to_numpy()
    shares = cells / cells.sum(axis=1, keepdims=True)
    figure = _figure(5.4, 4.6)
    axes = figure.add_subplot()
    axes.grid(visible=False)
    colours = LinearSegmentedColormap.from_list("blues", ["#F4F8FB", BLUE])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    for row in range(2):
        for column in range(2):
            colour = "white" if shares[row, column] > 0.5 else INK
            place: dict[str, Any] = {"ha": "center", "va": "center", "color": colour}
            axes.text(column, row - 0.06, f"{cells[row, column]:,}", size=18, **place)
            note = f"{shares[row, column]:.1%} of {CLASSES[row]}".replace("%", " %")
            axes.text(column, row + 0.16, note, size=10, **place)
    axes.set_xticks((0, 1), CLASSES)
    axes.set_yticks((0, 1), CLASSES, rotation=90, va="center")
    axes.spines[:].set_visible(False)
    axes.axhline(0.5, color="white", linewidth=3)
    axes.axvline(0.5, color="white", linewidth=3)
    right = cells.trace() / cells.sum()
    axes.set(
        title=f"Confusion: {100 * right:.1f} % of {cells.sum():,} test texts are right",
        xlabel="Predicted class",
        ylabel="Actual class",
    )
    return figure


def roc_chart(
    curves: Sequence[pd.DataFrame], labels: IntArray, probabilities: Sequence[FloatArray]
) -> Figure:
    """Draw the ROC curves of model and baseline (``roc_points``), with the areas under them."""
    from sklearn.metrics import roc_auc_score

    figure = _figure(5.4, 5.2)
    axes = figure.add_subplot()
    _unit_square(axes)
    for name, colour, dashes, curve, values in zip(
        ("Model", "Baseline"), (BLUE, ORANGE), ("-", "--"), curves, probabilities, strict=True
    ):
        area = roc_auc_score(labels, values)
        label = f"{name} (AUC {area:.3f})"
        axes.plot(curve["fpr"], curve["tpr"], dashes, color=colour, label=label, clip_on=False)
    axes.plot((0, 1), (0, 1), ":", color=GREY, linewidth=1.2, label="Chance (AUC 0.500)")
    axes.legend(loc="lower right")
    axes.set(
        title="ROC: positives found against false alarms",
        xlabel="False positive rate (share of negative texts)",
        ylabel="True positive rate (share of positive texts)",
    )
    return figure


def precision_recall_chart(
    curves: Sequence[pd.DataFrame], labels: IntArray, probabilities: Sequence[FloatArray]
) -> Figure:
    """Draw the curves of model and baseline (``precision_recall_points``)."""
    from sklearn.metrics import average_precision_score

    figure = _figure(5.4, 5.2)
    axes = figure.add_subplot()
    _unit_square(axes)
    for name, colour, dashes, curve, values in zip(
        ("Model", "Baseline"), (BLUE, ORANGE), ("-", "--"), curves, probabilities, strict=True
    ):
        area = average_precision_score(labels, values)
        axes.plot(
            curve["recall"],
            curve["precision"],
            dashes,
            color=colour,
            drawstyle="steps-pre",
            label=f"{name} (average precision {area:.3f})",
            clip_on=False,
        )
    share = labels.mean()
    axes.axhline(share, linestyle=":", color=GREY, linewidth=1.2, label=f"Chance ({share:.3f})")
    axes.legend(loc="lower left")
    axes.set(
        title="Precision and recall of the positive class",
        xlabel="Recall (share of positive texts found)",
        ylabel="Precision (share of finds that are positive)",
    )
    return figure


def calibration_chart(
    table: pd.DataFrame, labels: IntArray, probabilities: FloatArray, bins: int
) -> Figure:
    """Draw a reliability diagram (``calibration_table``) above a histogram of the probabilities."""
    figure = _figure(5.4, 6.0)
    upper, lower = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    upper.plot((0, 1), (0, 1), ":", color=GREY, linewidth=1.2, label="Perfect calibration")
    low, high = wilson_interval(
        table["positives"].to_numpy() * table["rows"].to_numpy(), table["rows"].to_numpy()
    )
    upper.vlines(table["mean_probability"], low, high, color=BLUE, alpha=0.35, linewidth=3)
    upper.plot(
        table["mean_probability"],
        table["positives"],
        "o-",
        color=BLUE,
        markersize=5,
        linewidth=1.5,
        label="Model, with 95 % intervals",
        clip_on=False,
    )
    upper.set(
        title="Calibration: predicted against observed",
        ylabel="Observed share of positives",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    _percent(upper.yaxis)
    upper.legend(loc="upper left")
    lower.hist(
        (probabilities[labels == 0], probabilities[labels == 1]),
        bins=list(np.linspace(0, 1, bins + 1)),
        stacked=True,
        color=(AMBER, SKY),
        label=("negative texts", "positive texts"),
        edgecolor="white",
        linewidth=0.6,
    )
    lower.set(xlabel="Predicted probability of positive", ylabel="Test texts")
    lower.yaxis.set_major_formatter("{x:,.0f}")
    lower.legend(loc="upper center", fontsize=9)
    _percent(lower.xaxis)
    lower.set_xticks(np.linspace(0, 1, 6))
    return figure


def training_chart(table: pd.DataFrame) -> Figure:
    """Draw loss and validation accuracy by epoch, and mark the epoch whose weights were kept."""
    from matplotlib.ticker import MaxNLocator

    figure = _figure(9.0, 3.8)
    left, right = figure.subplots(1, 2)
    epochs = table["epoch"].to_numpy()
    best = epochs[np.argmax(table["kept"])]
    points: dict[str, Any] = {"markersize": 4, "color": BLUE, "label": "Validation"}
    training = {**points, "color": ORANGE, "label": "Training"}
    left.plot(epochs, table["train_loss"], "o--", **training)
    left.plot(epochs, table["validation_loss"], "o-", **points)
    left.set(title="Loss by epoch", ylabel="Cross-entropy (nats)")
    right.plot(epochs, table["validation_accuracy"], "o-", **points)
    right.set(title="Validation accuracy by epoch", ylabel="Accuracy")
    _percent(right.yaxis, decimals=None)
    kept = f"Kept: epoch {best}"
    for axes in (left, right):
        axes.axvline(best, color=GREEN, linestyle=":", linewidth=1.5, label=kept)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("Epoch")
        axes.margins(y=0.1)
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3)
    return figure


def slices_chart(table: pd.DataFrame) -> Figure:
    """Draw the accuracy of the largest slices (``slice_figures``), with 95 % intervals."""
    shown = table.nlargest(MAX_SLICES, "rows", keep="first")
    overall = float(np.average(table["accuracy"], weights=table["rows"]))
    figure = _figure(8.0, 1.5 + 0.3 * len(shown))
    axes = figure.add_subplot()
    axes.grid(visible=False, axis="y")
    places = np.arange(len(shown))
    axes.barh(places, shown["accuracy"], height=0.68, color=BLUE, alpha=0.75)
    axes.hlines(places, shown["accuracy_low"], shown["accuracy_high"], color=INK, linewidth=1.4)
    axes.axvline(overall, color=ORANGE, linestyle="--", linewidth=1.5)
    axes.set_yticks(places, [_tick(row.slice, row.rows) for row in shown.itertuples()])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set(xlim=(0, 1), ylim=(len(shown) - 0.4, -0.6))
    _percent(axes.xaxis)
    which = "" if len(shown) == len(table) else f", {len(shown)} largest of {len(table)}"
    axes.set_title(f"Accuracy by slice{which}")
    axes.set_xlabel(f"Accuracy, with 95 % intervals; dashed: all texts, {100 * overall:.1f} %")
    return figure


def _tick(name: object, rows: object) -> str:
    text = " ".join(str(name).split())
    return f"{text if len(text) <= 40 else text[:39] + '…'} ({rows:,})"
