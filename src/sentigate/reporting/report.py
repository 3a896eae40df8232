"""Render the test report, one self-contained HTML page with its plots inside."""

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
from sentigate.evaluation.metrics import metrics_of
from sentigate.evaluation.skew import is_skewed, skew_sentence
from sentigate.files import templates
from sentigate.model.labels import BINARY, Classes

LONG_TEXT = 300
"""Longer texts are folded; in characters."""
LARGE = 700
"""A wider chart has small print, and so gets the whole width of the page; in pixels."""
CLASS_METRICS = (
    ("precision", "Precision", "Share of the texts answered with the class that are of it."),
    ("recall", "Recall", "Share of the texts of the class that are answered with it."),
    ("f1", "F1", "Harmonic mean of precision and recall."),
)
"""Key, heading and meaning of the figures of a class that have an interval."""


def render_report(
    *,
    dataset: str,
    model: str,
    baseline: str,
    classes: Classes,
    figures: Mapping[str, Mapping[str, Any]],
    splits: Mapping[str, Mapping[str, Any]],
    leakage: Mapping[str, float],
    reading: Mapping[str, Any],
    slices: pd.DataFrame,
    failures: pd.DataFrame,
    behaviour: pd.DataFrame | None,
    errors: pd.DataFrame,
    gates: Sequence[str],
    images: Mapping[str, Path],
) -> str:
    """Render the report as HTML. It runs no scripts and fetches nothing.

    The same input gives the same page. Every text is escaped. Figures that are missing, None or not
    finite show as a dash.

    Args:
        dataset: Name of the data set.
        model: Name of the model.
        baseline: ``description`` from reports/baseline.json.
        classes: Names of the classes.
        figures: ``test``, ``network``, ``baseline`` and ``validation``, as
            ``classification_figures`` returns them; ``classes``, as ``class_figures`` returns it;
            ``majority`` with ``accuracy``; ``difference``
            and ``network_difference``, as ``accuracy_difference`` returns them; ``fusion`` with
            ``share``; ``calibration``, as ``temperature_figures`` returns it; ``behaviour``, as
            ``behaviour_figures`` returns it, if the behavioural tests fit the classes; and
            optionally ``language_model``, with three perplexities and ``tokens``.
        splits: ``splits`` from reports/split.json: split -> ``rows`` and ``classes``, the share of
            the rows in each class, in [0, 1].
        leakage: Share of test rows whose ``group`` occurs in training, whose ``text`` does, and
            which have a ``near_copy`` of another group there; each in [0, 1].
        reading: Content of reports/pad.json.
        slices: Table as ``slice_figures`` returns it.
        failures: Table as ``failure_groups`` returns it.
        behaviour: Table as ``judge_cases`` returns it, or None if the behavioural tests do not fit
            the classes.
        errors: Table as ``confident_errors`` returns it.
        gates: Stages whose gates have passed. The page links to ``gates/<stage>.html`` beside it.
        images: Title -> PNG file, in the order of the page.

    Raises:
        KeyError: A key or column named above is missing.
        OSError: An image cannot be read.
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
        classes=classes,
        two=classes.count == 2,
        metrics=metrics_of(classes),
        class_figures=_class_figures(figures["classes"]),
        class_metrics=CLASS_METRICS,
        skewed=is_skewed(figures),
        skew_sentence=skew_sentence(figures),
        differences=_differences(figures),
        fused=figures["fusion"]["share"],
        language_model=figures.get("language_model"),
        splits=splits,
        leaked_groups=leakage["group"],
        leaked_texts=leakage["text"],
        near_copies=leakage["near_copy"],
        max_length=reading["max_length"],
        last=reading["last"],
        cut=reading["splits"]["test"],
        slices=slices.to_dict("records"),
        slice_metrics=[metric for metric in metrics_of(classes) if metric.key in slices],
        failures=failures.to_dict("records"),
        calibration=figures["calibration"],
        behaviour=figures.get("behaviour"),
        known_to_behaviour=BINARY.names,
        capabilities=[] if behaviour is None else _capabilities(behaviour),
        errors=[_mistake(row, classes) for row in errors.to_dict("records")],
        long_text=LONG_TEXT,
        gates=gates,
        images=[_image(title, path) for title, path in images.items()],
    )


def _differences(figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Describe the difference to the baseline, for the model and for the network if it is fused."""
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
    """Return a row for each capability, with some of the cases that failed."""
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
    # The first chunk of a PNG file holds its size. With it, the page does not move as it loads.
    width, height = struct.unpack(">II", content[16:24])
    data = base64.b64encode(content).decode("ascii")
    kind = "wide" if width > 1.5 * height else "large" if width > LARGE else ""
    return {"title": title, "data": data, "width": width, "height": height, "kind": kind}


def _difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> float | None:
    first, second = one["accuracy"], other["accuracy"]
    return None if first is None or second is None else first - second


def _mistake(row: Mapping[Any, Any], classes: Classes) -> dict[Any, Any]:
    """Replace the labels of an error by the names of their classes."""
    actual, predicted = (classes.names[row[column]] for column in ("label", "predicted"))
    return {**row, "actual": actual, "predicted": predicted}


def _class_figures(figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each class, with its figures."""
    return [{"name": name, **part} for name, part in figures.items()]
