"""Draw the norms that ``gradients`` measures, by distance, before and after training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from .draw import BLUE, GREEN, ORANGE, SKY, STYLE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES = {
    ("rnn", "hidden"): ("RNN, hidden state", ORANGE, ":"),
    ("gru", "hidden"): ("GRU, hidden state", GREEN, "--"),
    ("lstm", "hidden"): ("LSTM, hidden state", SKY, "-."),
    ("lstm", "cell"): ("LSTM, cell state", BLUE, "-"),
}
"""(cell, state) -> name, colour and dashes; the dashes alone tell the curves apart."""

FLOOR = 1e-12
"""Lower end of the axis. A curve that falls below it, or to zero, leaves the chart there."""


def gradient_chart(table: pd.DataFrame) -> Figure:
    """Draw medians as lines and the middle 80 % of texts as bands, on a logarithmic axis.

    Args:
        table: Columns ``cell``, ``state``, ``trained``, ``distance``, ``median``, ``p10``, ``p90``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.6))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, trained in zip(panels, (False, True), strict=True):
        moment = table[table["trained"] == trained]
        for (cell, state), (name, colour, dashes) in CURVES.items():
            curve = moment[(moment["cell"] == cell) & (moment["state"] == state)]
            low, middle, high = (curve[key].clip(FLOOR / 10) for key in ("p10", "median", "p90"))
            axes.fill_between(curve["distance"], low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(curve["distance"], middle, dashes, color=colour, label=name)
        axes.set(
            title="After training" if trained else "Before training",
            xlabel="Distance from the text's last token (tokens)",
            yscale="log",
            xlim=(0, table["distance"].max()),
        )
    panels[0].set_ylim(bottom=FLOOR)
    panels[0].set_ylabel("Norm of the loss's gradient\n(median and middle 80 % of texts)")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure


def write_gradient_chart(table: pd.DataFrame, path: Path) -> None:
    """Draw the chart into a PNG file; the same table gives the same bytes."""
    from matplotlib import style

    with style.context(["default", STYLE]):
        gradient_chart(table).savefig(path, metadata={"Software": None})
