"""Draw the chart: test accuracy and, beside it, the times of each model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sentigate.reporting.draw import BLUE, GREY, INK, ORANGE, STYLE

from .table import BASELINE, MAJORITY

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def leaderboard_chart(table: pd.DataFrame, title: str) -> Figure:
    """Draw models as dots with 95 % intervals, baseline and majority class as lines, times as bars.

    Args:
        table: A ``leaderboard_table`` with one or more entries; the chart keeps its order.
        title: Title over the accuracies.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    accuracy_of = table.set_index("model")["test_accuracy"]
    shown = table[~table["model"].isin((BASELINE, MAJORITY))]
    places = np.arange(len(shown))
    figure = Figure(figsize=(11.0, 2.2 + 0.32 * len(shown)))
    accuracy, training, speed = figure.subplots(1, 3, sharey=True, width_ratios=(3, 1.2, 1.2))
    accuracy.hlines(
        places, shown["test_accuracy_low"], shown["test_accuracy_high"], color=INK, linewidth=1.4
    )
    label = "Model, with 95 % interval"
    accuracy.plot(shown["test_accuracy"], places, "o", color=BLUE, markersize=6, label=label)
    for name, colour, dashes in ((BASELINE, ORANGE, "--"), (MAJORITY, GREY, ":")):
        label = f"{name.capitalize()}, {100 * accuracy_of[name]:.1f} %"
        accuracy.axvline(accuracy_of[name], color=colour, linestyle=dashes, label=label)
    accuracy.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=None, symbol=" %"))
    accuracy.set(title=title, xlabel="Test accuracy", ylim=(len(shown) - 0.4, -0.6))
    accuracy.set_yticks(places, list(shown["model"]))
    for tick in accuracy.get_yticklabels():
        tick.set_parse_math(False)
    for axes, key, name in (
        (training, "training_seconds", "Training, seconds"),
        (speed, "texts_per_second", "Texts a second"),
    ):
        bars = axes.barh(places, shown[key].astype("float64"), height=0.6, color=BLUE, alpha=0.75)
        axes.bar_label(bars, fmt="{:,.0f}", padding=4, size=9)
        axes.set(title=name, xticks=())
        axes.margins(x=0.4)
        axes.grid(visible=False)
    handles, names = accuracy.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=3)
    return figure


def write_leaderboard_chart(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw the chart into a PNG file; the same table gives the same bytes."""
    from matplotlib import style

    with style.context(["default", STYLE]):
        leaderboard_chart(table, title).savefig(path, metadata={"Software": None})
