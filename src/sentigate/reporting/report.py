"""The test report: one HTML page that stands alone, with its plots inside it."""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

Values = Mapping[str, float | int | None]

SHARE, NUMBER = "share", "number"
ROWS = (
    ("accuracy", "Accuracy", SHARE, "texts classified rightly"),
    ("precision", "Precision", SHARE, "of texts called positive, those that are"),
    ("recall", "Recall", SHARE, "of positive texts, those called so"),
    ("f1", "F1", SHARE, "harmonic mean of precision and recall"),
    ("auroc", "AUROC", NUMBER, "chance that a positive text gets more than a negative one"),
    ("log_loss", "Log loss", NUMBER, "in nats; lower is better, 0.693 is a coin"),
    (
        "expected_calibration_error",
        "Calibration error",
        SHARE,
        "mean gap between confidence and accuracy; lower is better",
    ),
    ("rows", "Texts", "count", ""),
)
"""Key, name, kind and meaning of every figure in the table."""

MISSING = "–"
LONG_TEXT = 300
"""Longer texts are folded."""


def render_report(
    *,
    dataset: str,
    model: str,
    figures: Mapping[str, Values],
    splits: pd.DataFrame,
    leakage: Mapping[str, float],
    slices: pd.DataFrame,
    errors: pd.DataFrame,
    gates: Sequence[str],
    images: Mapping[str, Path],
) -> str:
    """The report as HTML: no scripts, nothing fetched, the same for the same input.

    Every text is escaped. Figures that are missing, None or not finite show as a dash.

    Args:
        dataset: its name.
        model: its name.
        figures: ``test``, ``baseline`` and ``validation``, each as ``Figures.as_dict`` gives it,
            and ``majority`` with ``accuracy``; perhaps ``language_model`` with three perplexities
            and ``tokens``.
        splits: ``split``, ``rows`` and ``positives`` (share of the rows, in [0, 1]).
        leakage: share of test rows whose ``group``, and whose ``text``, occurs in training.
        slices: as ``slice_figures`` gives it.
        errors: as ``confident_errors`` gives it.
        gates: the stages whose gates had to hold before this page could be made; it links to
            ``gates/<stage>.html`` beside it.
        images: PNG files by title, in the order wanted.

    Raises:
        KeyError: a key or column named above is missing.
        OSError: an image cannot be read.
    """
    environment = Environment(
        loader=PackageLoader("sentigate.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"share": share, "number": number, "count": count, "points": points}
    test, majority = figures["test"], figures["majority"]
    return environment.get_template("report.html.j2").render(
        dataset=dataset,
        model=model,
        test=test,
        baseline=figures["baseline"],
        majority=majority,
        gain_over_baseline=_difference(test, figures["baseline"]),
        gain_over_majority=_difference(test, majority),
        columns=[figures["test"], figures["baseline"], figures["validation"]],
        figure_rows=ROWS,
        formats={SHARE: share, NUMBER: number, "count": count},
        language_model=figures.get("language_model"),
        splits=_records(splits, "split", "rows", "positives"),
        leaked_groups=leakage["group"],
        leaked_texts=leakage["text"],
        slices=_records(
            slices,
            *("slice", "rows", "positives", "accuracy", "accuracy_low", "accuracy_high"),
            *("f1", "log_loss"),
        ),
        errors=_records(errors, "id", "slice", "text", "label", "probability"),
        long_text=LONG_TEXT,
        gates=gates,
        images=[_image(title, path) for title, path in images.items()],
    )


def share(value: float | None) -> str:
    """``0.8123`` as ``81.2 %``; what is not quite none or all is not rounded to it."""
    if not _present(value):
        return MISSING
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    """Three decimals."""
    return f"{value:.3f}" if _present(value) else MISSING


def count(value: float | None) -> str:
    """Thousands apart."""
    return f"{value:,.0f}" if _present(value) else MISSING


def points(value: float | None) -> str:
    """A difference of shares, in percentage points, with its sign."""
    if not _present(value):
        return MISSING
    return f"{100 * value:+.1f}".replace("-", "−") + " points"


def _present(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _image(title: str, path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    # A PNG file's size stands in its first chunk; with it the page needn't move as it loads.
    width, height = struct.unpack(">II", content[16:24])
    data = base64.b64encode(content).decode("ascii")
    return {"title": title, "data": data, "width": width, "height": height}


def _difference(one: Values, other: Values) -> float | None:
    first, second = one["accuracy"], other["accuracy"]
    return None if first is None or second is None else first - second


def _records(table: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in table[list(columns)].to_numpy(object)]
