"""The table of figures at the end of `sentigate train`, for any number of classes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from support.answers import EVALUATE, STARS, answers_frame, class_answers, some_classes
from support.params import tiny_values

from sentigate.cli.train import figures_table
from sentigate.evaluation.comparison import compare
from sentigate.evaluation.formats import precise
from sentigate.evaluation.metrics import TEST, headlines
from sentigate.evaluation.skew import skew_sentence
from sentigate.model.answers import named_columns
from sentigate.model.labels import Classes
from sentigate.settings.params import parse_params


def figures(classes: Classes, labels: Any, probabilities: Any) -> dict[str, Any]:
    """Return the content of metrics.json; network and baseline answer as the model does."""
    frame = answers_frame(labels, probabilities, "films")
    for prefix in ("network", "baseline"):
        frame = frame.assign(**named_columns(f"{prefix}_probability", probabilities))
        frame[f"{prefix}_predicted"] = frame["predicted"]
    frame["split"] = np.where(np.arange(len(frame)) < len(frame) * 0.6, "test", "validation")
    fusion = {"fusion": {"share": 0.25, "temperature": 1.0}}
    return fusion | compare(frame, classes, EVALUATE, seed=1)


def printed(classes: Classes, metrics: dict[str, Any], width: int) -> str:
    params = parse_params(tiny_values(), "made")
    dataset = params.chosen_dataset.model_copy(update={"classes": classes})
    params = params.model_copy(update={"datasets": {params.dataset: dataset}})
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(figures_table(params, metrics))
    return console.export_text()


ALL = [some_classes(2), some_classes(3), STARS, some_classes(20)]


@pytest.mark.parametrize("classes", ALL, ids=lambda classes: classes.count)
def test_the_table_has_the_headlines_of_the_classes(classes: Classes) -> None:
    metrics = figures(classes, *class_answers(classes.count))
    text = printed(classes, metrics, width=200)
    shown = headlines(TEST, classes)
    assert "F1" in text
    assert ("macro F1" in text) == (classes.count > 2)
    for metric in shown:
        assert metric.title in text
        assert text.count(precise(metrics["test"][metric.key], metric.unit)) >= 3
    majority = next(line for line in text.splitlines() if "majority class" in line)
    assert precise(metrics["majority"]["accuracy"], "share") in majority


@pytest.mark.parametrize("classes", ALL, ids=lambda classes: classes.count)
def test_the_table_fits_a_terminal(classes: Classes) -> None:
    metrics = figures(classes, *class_answers(classes.count))
    text = printed(classes, metrics, width=80)
    assert "…" not in text
    assert all(len(line) <= 80 for line in text.splitlines())
    for metric in headlines(TEST, classes):  # cells may have two lines, but no number is cut
        assert text.count(precise(metrics["test"][metric.key], metric.unit)) >= 3


def test_skewed_classes_are_pointed_out() -> None:
    classes = some_classes(3)
    labels = np.repeat([0, 1, 2, 0, 0], 100)
    labels[np.arange(500) % 12 > 0] = 1
    probabilities = np.full((500, 3), [0.2, 0.6, 0.2], dtype=np.float32)
    metrics = figures(classes, labels, probabilities)
    sentence = skew_sentence(metrics)
    assert "class 1" in sentence
    words = " ".join(printed(classes, metrics, width=80).split())
    assert words.endswith(sentence)
    assert "class 1" not in printed(classes, figures(classes, *class_answers(3)), width=80)
