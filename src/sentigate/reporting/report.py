"""The test report: one HTML page that stands alone, with its plots inside it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sentigate.evaluation.behaviour import failed_examples
from sentigate.evaluation.difference import difference_sentence, is_worse
from sentigate.evaluation.formats import count, figure, number, points, share
from sentigate.evaluation.metrics import METRICS, Figures
from sentigate.files import templates
from sentigate.model.labels import CLASSES, label_of

LONG_TEXT = 300
"""Longer texts are folded."""


def render_report(
    *,
    dataset: str,
    model: str,
    baseline: str,
    figures: Mapping[str, Figures],
    splits: pd.DataFrame,
    leakage: Mapping[str, float],
    reading: Mapping[str, Any],
    slices: pd.DataFrame,
    failures: pd.DataFrame,
    behaviour: pd.DataFrame,
    errors: pd.DataFrame,
    gates: Sequence[str],
    images: Mapping[str, Path],
) -> str:
    """The report as HTML: no scripts, nothing fetched, the same for the same input.

    Every text is escaped. Figures that are missing, None or not finite show as a dash.

    Args:
        dataset: its name.
        model: its name.
        baseline: ``description`` of reports/baseline.json.
        figures: ``test``, ``network``, ``baseline`` and ``validation``, each as
            ``classification_figures`` gives it, ``majority`` with ``accuracy``, ``difference`` and
            ``network_difference`` as ``accuracy_difference``, ``fusion`` with ``share``,
            ``calibration`` as ``temperature_figures`` and ``behaviour`` as ``behaviour_figures``
            gives it; perhaps ``language_model`` with three perplexities and ``tokens``.
        splits: ``split``, ``rows`` and ``positives`` (share of the rows, in [0, 1]).
        leakage: share of test rows whose ``group``, and whose ``text``, occurs in training,
            and whose ``near_copy`` does, under another group.
        reading: what reports/pad.json holds.
        slices: as ``slice_figures`` gives it.
        failures: as ``failure_groups`` gives it.
        behaviour: as ``judge_cases`` gives it.
        errors: as ``confident_errors`` gives it.
        gates: the stages whose gates had to hold before this page could be made; it links to
            ``gates/<stage>.html`` beside it.
        images: PNG files by title, in the order wanted.

    Raises:
        KeyError: a key or column named above is missing.
        OSError: an image cannot be read.
    """
    environment = templates()
    filters = {"share": share, "number": number, "count": count, "points": points, "figure": figure}
    environment.filters |= filters
    test, majority = figures["test"], figures["majority"]
    return environment.get_template("reporting/templates/report.html.j2").render(
        dataset=dataset,
        model=model,
        test=test,
        baseline=figures["baseline"],
        baseline_description=baseline,
        majority=majority,
        gain_over_baseline=_difference(test, figures["baseline"]),
        gain_over_majority=_difference(test, majority),
        columns=[figures[name] for name in ("test", "network", "baseline", "validation")],
        metrics=METRICS,
        differences=_differences(figures),
        fused=figures["fusion"]["share"],
        language_model=figures.get("language_model"),
        splits=splits[["split", "rows", "positives"]].to_dict("records"),
        leaked_groups=leakage["group"],
        leaked_texts=leakage["text"],
        near_copies=leakage["near_copy"],
        max_length=reading["max_length"],
        last=reading["last"],
        cut=reading["splits"]["test"],
        slices=slices.to_dict("records"),
        slice_metrics=[metric for metric in METRICS if metric.key in slices],
        failures=failures.to_dict("records"),
        calibration=figures["calibration"],
        behaviour=figures["behaviour"],
        capabilities=_capabilities(behaviour),
        errors=[_mistake(row) for row in errors.to_dict("records")],
        long_text=LONG_TEXT,
        gates=gates,
        images=[_image(title, path) for title, path in images.items()],
    )


def _differences(figures: Mapping[str, Figures]) -> list[dict[str, Any]]:
    """A sentence and the counts for the model, and for its network if that answers otherwise."""
    shown = [("the model", "difference")]
    if figures["fusion"]["share"]:
        shown.append(("the network alone", "network_difference"))
    rows = figures["test"].get("rows")
    return [
        {
            **figures[key],
            "sentence": difference_sentence(figures[key], rows, whose),
            "whose": whose,
            "worse": is_worse(figures[key]),
        }
        for whose, key in shown
    ]


def _capabilities(behaviour: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each capability, with some of the cases that failed."""
    examples = failed_examples(behaviour)
    return [
        {
            "name": name,
            "kinds": ", ".join(part["kind"].unique()),
            "cases": len(part),
            "passed": part["passed"].mean(),
            "examples": examples.loc[examples["capability"] == name].to_dict("records"),
        }
        for name, part in behaviour.groupby("capability", sort=False)
    ]


def _image(title: str, path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    # A PNG file's size stands in its first chunk; with it the page needn't move as it loads.
    width, height = struct.unpack(">II", content[16:24])
    data = base64.b64encode(content).decode("ascii")
    return {"title": title, "data": data, "width": width, "height": height}


def _difference(one: Figures, other: Figures) -> float | None:
    first, second = one["accuracy"], other["accuracy"]
    return None if first is None or second is None else first - second


def _mistake(row: Mapping[Any, Any]) -> dict[Any, Any]:
    """A row of ``confident_errors`` with its classes' names, and how sure the wrong answer was."""
    probability = row["probability"]
    return {
        **row,
        "actual": CLASSES[row["label"]],
        "predicted": label_of(probability),
        "confidence": max(probability, 1 - probability),
    }
