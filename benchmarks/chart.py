"""Draw all ratios of the benchmarks in one picture, docs/bench.png."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import wrap
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from sentigate.reporting.draw import BLUE, GREEN, INK, ORANGE, STYLE

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs/bench.png"


def chart(groups: dict[str, list[dict[str, Any]]]) -> Figure:
    """Draw a dot for each ratio, with the range of its rounds and a mark at its goal.

    Args:
        groups: Benchmark -> rows, as ``measuring.Ratio`` defines them.
    """
    rows = [row for group in groups.values() for row in group]
    lines = len(rows) + len(groups)  # the name of a benchmark has its own line
    figure = Figure(figsize=(11.0, 1.6 + 0.42 * lines))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.axvline(1, color=INK, linewidth=1)
    ticks: dict[int, str] = {}
    line = 0
    for name, group in groups.items():
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(name, (0, line), (-7, 0), ha="right", va="center", weight="bold", **place)
        for row in group:
            line += 1
            ticks[line] = "\n".join(wrap(row["label"], 62))
            _draw(axes, line, row)
        line += 1
    axes.set_yticks(list(ticks), list(ticks.values()))
    for tick in axes.get_yticklabels():
        tick.set_parse_math(False)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g} ×")
    axes.minorticks_off()
    axes.margins(x=0.1)
    axes.set(
        title="sentigate against its peers: right of 1 it is better",
        xlabel="Ratio to the peer, measured in turn in one run",
        ylim=(lines - 0.4, -0.6),
    )
    axes.grid(visible=False, axis="y")
    names = axes.get_legend_handles_labels()
    legend = dict(zip(reversed(names[1]), reversed(names[0]), strict=True))  # each label once
    figure.legend(legend.values(), legend.keys(), loc="outside lower right", ncols=3)
    return figure


def _draw(axes: Axes, line: int, row: dict[str, Any]) -> None:
    met = row["asked"] is None or row["ratio"] >= row["asked"]
    colour, name = (BLUE, "Measured, and its rounds") if met else (ORANGE, "Less than asked")
    axes.hlines(line, row["low"], row["high"], color=colour, linewidth=3, alpha=0.4)
    axes.plot(row["ratio"], line, "o", color=colour, markersize=7, label=name)
    if row["asked"] is not None:
        style = {"color": GREEN, "markersize": 15, "markeredgewidth": 2.5}
        axes.plot(row["asked"], line, "|", label="Asked", **style)
    end = max(row["high"], row["asked"] or 0)
    paper = {"boxstyle": "square,pad=0.1", "color": "white"}  # hides the lines behind the text
    place = {"textcoords": "offset points", "va": "center", "bbox": paper}
    axes.annotate(f"{row['ratio']:.3g}", (end, line), (8, 0), **place)


def main() -> None:
    """Draw the ratios in benchmarks/*.json; files without ratios are skipped."""
    groups = {}
    for path in sorted(HERE.glob("*.json")):
        rows = json.loads(path.read_text("utf-8")).get("ratios")
        if rows:
            groups[path.stem.replace("_", " ").capitalize()] = rows
    with style.context(["default", STYLE]):
        chart(groups).savefig(PICTURE, metadata={"Software": None})
    print(PICTURE.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
