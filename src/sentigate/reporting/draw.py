"""Draw the six charts of a test run, off screen, without pyplot and its global state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from sentigate.evaluation.answers import FloatArray, IntArray
from sentigate.evaluation.calibration import calibrated
from sentigate.evaluation.confusion import confusion
from sentigate.evaluation.curve_points import mean_precision_recall, mean_roc
from sentigate.evaluation.intervals import wilson_interval
from sentigate.model.labels import Classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

MAX_SLICES = 30
"""Most bars in a plot that is still readable."""
MAX_NAMED_CURVES = 8
"""With more classes than this, the legend names only the averages."""
MAX_COUNTED = 24
"""With more classes than this, the cells of the confusion matrix hold no numbers."""

# The palette of Okabe and Ito, which colour-blind people can tell apart.
BLUE, ORANGE, GREEN, AMBER, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9"
GREY, INK = "#8C8C8C", "#222222"
OF_CLASSES = (BLUE, GREEN, AMBER, SKY, "#CC79A7", "#B8A800", "#7F3C8D", "#666666")
"""Colours of the curves of single classes; ink is the model's average, orange the baseline's."""

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


def confusion_chart(labels: IntArray, predicted: IntArray, classes: Classes) -> Figure:
    """Draw the number of rows by true and answered class, and their shares of each true class.

    Args:
        labels: true classes, 0 to K-1, (rows,).
        predicted: answered classes, 0 to K-1, (rows,).
        classes: names of the K classes.
    """
    from matplotlib.colors import LinearSegmentedColormap

    count, cells = classes.count, confusion(labels, predicted, classes.count)
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    side = _cell_side(count)
    figure = _figure(max(2.2 + side * count, 5.8 if count > 2 else 0), 1.4 + side * count)
    axes = figure.add_subplot()
    axes.grid(visible=False)
    colours = LinearSegmentedColormap.from_list("blues", ["#F4F8FB", BLUE])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    for row in range(count if count <= MAX_COUNTED else 0):
        for column in range(count):
            _cell(axes, row, column, cells, shares, classes)
    names = [_shortened(name, 18) for name in classes.names]
    turned = max(map(len, names)) > 9 * side
    slanted: dict[str, Any] = {"rotation": 40, "ha": "right"} if turned else {}
    axes.set_xticks(range(count), names, **slanted)
    upright: dict[str, Any] = {"rotation": 90, "va": "center"} if count == 2 else {}
    axes.set_yticks(range(count), names, **upright)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
        label.set_fontsize(10 if side > 0.5 else max(4.0, 18 * side))
        if turned:
            label.set_rotation_mode("anchor")
    axes.spines[:].set_visible(False)
    for edge in np.arange(count - 1) + 0.5:
        axes.axhline(edge, color="white", linewidth=3 if count == 2 else 1.5)
        axes.axvline(edge, color="white", linewidth=3 if count == 2 else 1.5)
    right = cells.trace() / cells.sum()
    axes.set(
        title=f"Confusion: {100 * right:.1f} % of {cells.sum():,} test texts are right",
        xlabel="Predicted class",
        ylabel="Actual class",
    )
    return figure


def _cell_side(count: int) -> float:
    """Return the side of a cell in inches; with very many classes, it no longer holds a number."""
    if count == 2:
        return 1.6
    if count < 6:
        return max(3.6 / count, 0.78)
    return 0.62 if count < 13 else 11 / count


def _cell(
    axes: Axes,
    row: int,
    column: int,
    cells: np.ndarray[Any, Any],
    shares: np.ndarray[Any, Any],
    classes: Classes,
) -> None:
    """Write the count of a cell, and its share of the true class if there is room."""
    share, count = shares[row, column], classes.count
    place: dict[str, Any] = {"ha": "center", "va": "center"}
    place["color"] = "white" if share > (0.5 if count == 2 else 0.6) else INK
    if count == 2:
        axes.text(column, row - 0.06, f"{cells[row, column]:,}", size=18, **place)
        note = f"{share:.1%} of {_shortened(classes.names[row], 12)}".replace("%", " %")
        axes.text(column, row + 0.16, note, size=10, parse_math=False, **place)
    elif count < 13:
        axes.text(
            column, row - 0.1, f"{cells[row, column]:,}", size=12 if count < 6 else 9.5, **place
        )
        note = f"{share:.0%}".replace("%", " %")
        axes.text(column, row + 0.24, note, size=9 if count < 6 else 7, **place)
    else:
        axes.text(column, row, f"{cells[row, column]:,}", size=max(4.0, 90 / count), **place)


class _Kind(NamedTuple):
    """A kind of curve: its columns, its mean over classes, and the area below it."""

    x: str
    y: str
    mean: Callable[[Iterable[pd.DataFrame]], pd.DataFrame]
    area: str
    score: Callable[[Any, Any], float]
    style: dict[str, Any]


Curves = Mapping[int, pd.DataFrame]
"""The curves of ``class_curves``, by class."""


def roc_chart(
    curves: Sequence[Curves],
    labels: IntArray,
    probabilities: Sequence[FloatArray],
    classes: Classes,
) -> Figure:
    """Draw the ROC curves (``roc_points``), with the areas under them.

    With two classes, these are the curves of model and baseline. With more, they are the means of
    both over all classes, and the model's curve of each class against the rest.

    Args:
        curves: the model's and the baseline's.
        labels: true classes, 0 to K-1, (rows,).
        probabilities: the model's and the baseline's, (rows, K).
        classes: names of the K classes.
    """
    from sklearn.metrics import roc_auc_score

    figure, axes = _curve_axes(classes)
    kind = _Kind("fpr", "tpr", mean_roc, "AUC", roc_auc_score, {})
    _draw_curves(axes, kind, curves, labels, probabilities, classes)
    axes.plot((0, 1), (0, 1), ":", color=GREY, linewidth=1.2, label="Chance (AUC 0.500)")
    if classes.count == 2:
        earlier, later = (_shortened(name, 18) for name in classes.names)
        title, x, y = "hits against false alarms", f"{earlier} texts", f"{later} texts"
    else:
        title, x, y = "each class against the rest", "other texts", "texts of the class"
    _words(
        axes,
        f"ROC: {title}",
        f"False positive rate (share of {x})",
        f"True positive rate (share of {y})",
    )
    _curve_legend(figure, axes, classes, "lower right")
    return figure


def precision_recall_chart(
    curves: Sequence[Curves],
    labels: IntArray,
    probabilities: Sequence[FloatArray],
    classes: Classes,
) -> Figure:
    """Draw the curves (``precision_recall_points``) that ``roc_chart`` draws as ROC curves."""
    from sklearn.metrics import average_precision_score

    figure, axes = _curve_axes(classes)
    kind = _Kind(
        "recall",
        "precision",
        mean_precision_recall,
        "average precision" if classes.count == 2 else "AP",
        average_precision_score,
        {"drawstyle": "steps-pre"},
    )
    _draw_curves(axes, kind, curves, labels, probabilities, classes)
    # The mean over the classes of their shares of the rows.
    share = float(np.mean([(labels == number).mean() for number in curves[0]]))
    axes.axhline(share, linestyle=":", color=GREY, linewidth=1.2, label=f"Chance ({share:.3f})")
    if classes.count == 2:
        later = _shortened(classes.names[1], 18)
        title, found = f"Precision and recall of the {later} class", later
        texts = f"{later} texts"
    else:
        title, found = "Precision and recall of each class", "of the class"
        texts = "texts of the class"
    _words(
        axes,
        title,
        f"Recall (share of {texts} found)",
        f"Precision (share of finds that are {found})",
    )
    _curve_legend(figure, axes, classes, "best")
    return figure


def _curve_axes(classes: Classes) -> tuple[Figure, Axes]:
    # The legend of several classes is below the axes, in two columns.
    entries = 3 + (classes.count if classes.count <= MAX_NAMED_CURVES else 1)
    below = 0.0 if classes.count == 2 else 0.1 + 0.18 * ((entries + 1) // 2)
    figure = _figure(5.4, 5.2 + below)
    axes = figure.add_subplot()
    _unit_square(axes)
    return figure, axes


def _draw_curves(
    axes: Axes,
    kind: _Kind,
    curves: Sequence[Curves],
    labels: IntArray,
    probabilities: Sequence[FloatArray],
    classes: Classes,
) -> None:
    several = classes.count > 2
    areas = [
        {number: kind.score(labels == number, values[:, number]) for number in part}
        for part, values in zip(curves, probabilities, strict=True)
    ]
    if several:
        named = classes.count <= MAX_NAMED_CURVES
        for number, curve in curves[0].items():
            name = f"{_shortened(classes.names[number], 18)} ({areas[0][number]:.3f})"
            axes.plot(
                curve[kind.x],
                curve[kind.y],
                color=OF_CLASSES[number] if named else BLUE,
                alpha=0.85 if named else 0.35,
                linewidth=1.1,
                label=name if named else None,
                clip_on=False,
                **kind.style,
            )
        if not named:
            low, high = min(areas[0].values()), max(areas[0].values())
            label = f"{len(areas[0])} classes ({low:.3f} to {high:.3f})"
            axes.plot([], [], color=BLUE, alpha=0.6, linewidth=1.1, label=label)
    of_model = INK if several else BLUE
    for name, colour, dashes, part, area in zip(
        ("Model", "Baseline"), (of_model, ORANGE), ("-", "--"), curves, areas, strict=True
    ):
        curve = kind.mean(part.values())
        word = f"mean {kind.area}" if several else kind.area
        axes.plot(
            curve[kind.x],
            curve[kind.y],
            dashes,
            color=colour,
            label=f"{name} ({word} {np.mean(list(area.values())):.3f})",
            clip_on=False,
            **kind.style,
        )


def _words(axes: Axes, title: str, x: str, y: str) -> None:
    """Set title and labels, in which a dollar sign of a class is a dollar sign."""
    axes.set_title(title, parse_math=False)
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)


Place = Literal["lower right", "best"]


def _curve_legend(figure: Figure, axes: Axes, classes: Classes, place: Place) -> None:
    if classes.count == 2:
        axes.legend(loc=place)
        return
    handles, names = axes.get_legend_handles_labels()
    # The averages come first, and then the classes.
    order = [*range(len(handles) - 3, len(handles)), *range(len(handles) - 3)]
    legend = figure.legend(
        [handles[at] for at in order],
        [names[at] for at in order],
        loc="outside lower center",
        ncols=2,
        fontsize=8.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def calibration_chart(
    table: pd.DataFrame,
    labels: IntArray,
    probabilities: FloatArray,
    predicted: IntArray,
    classes: Classes,
    bins: int,
) -> Figure:
    """Draw a reliability diagram (``calibration_table``) above a histogram of the probabilities."""
    values, occurs = calibrated(labels, probabilities, predicted)
    if classes.count == 2:
        earlier, later = (_shortened(name, 24) for name in classes.names)
        observed, groups = (
            f"Observed share of {later} texts",
            (f"{earlier} texts", f"{later} texts"),
        )
        x, place = f"Predicted probability of {later}", "upper center"
    else:
        observed, groups = "Observed share of right answers", ("wrong answers", "right answers")
        x, place = "Confidence (probability of the answer)", "best"
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
    _words(upper, "Calibration: predicted against observed", "", observed)
    upper.set(xlim=(0, 1), ylim=(0, 1))
    _percent(upper.yaxis)
    upper.legend(loc="upper left" if classes.count == 2 else "lower right")
    lower.hist(
        (values[~occurs], values[occurs]),
        bins=list(np.linspace(0, 1, bins + 1)),
        stacked=True,
        color=(AMBER, SKY),
        label=groups,
        edgecolor="white",
        linewidth=0.6,
    )
    _words(lower, "", x, "Test texts")
    lower.yaxis.set_major_formatter("{x:,.0f}")
    for text in lower.legend(loc=place, fontsize=9).get_texts():
        text.set_parse_math(False)
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
    return f"{_shortened(' '.join(str(name).split()), 40)} ({rows:,})"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
