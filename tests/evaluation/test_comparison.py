"""The content of metrics.json, from the columns of predictions.parquet."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from support.answers import EVALUATE, class_answers, some_classes

from sentigate.evaluation.class_figures import class_figures
from sentigate.evaluation.comparison import compare
from sentigate.evaluation.difference import accuracy_difference
from sentigate.evaluation.metrics import classification_figures
from sentigate.evaluation.skew import skew_sentence
from sentigate.model.answers import named_columns, predicted_labels
from sentigate.model.labels import BINARY


def held_out(count: int) -> pd.DataFrame:
    labels, _ = class_answers(count)
    columns = {"label": labels, "split": np.where(np.arange(500) < 300, "test", "validation")}
    for seed, prefix in enumerate(("", "network_", "baseline_"), start=1):
        noise = np.random.default_rng(seed).random((500, count))
        values = noise + 0.4 * np.eye(count)[labels]
        values /= values.sum(axis=1, keepdims=True)
        columns |= named_columns(f"{prefix}probability", values)
        columns[f"{prefix}predicted"] = predicted_labels(values).astype(np.int8)
    return pd.DataFrame(columns)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_every_part_has_the_figures_of_its_columns(count: int) -> None:
    frame, classes = held_out(count), some_classes(count)
    got = compare(frame, classes, EVALUATE, seed=1)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    test = frame.loc[frame["split"] == "test"]
    labels = test["label"].to_numpy()

    def values(prefix: str) -> np.ndarray:
        return test[[f"{prefix}probability_{k}" for k in range(count)]].to_numpy()

    for part, prefix in (("test", ""), ("network", "network_"), ("baseline", "baseline_")):
        assert got[part] == classification_figures(labels, values(prefix), classes, EVALUATE, 1)
    assert got["validation"]["rows"] == 200
    assert got["classes"] == class_figures(
        labels, values(""), test["predicted"].to_numpy(), classes, EVALUATE, 1
    )
    assert got["majority"] == {"accuracy": round(max(np.bincount(labels)) / 300, 6)}
    predicted, baseline = (test[name].to_numpy() for name in ("predicted", "baseline_predicted"))
    assert got["difference"] == accuracy_difference(
        labels, predicted, baseline, samples=EVALUATE.bootstrap_samples, seed=1
    )
    assert got["network_difference"] != got["difference"]


def test_the_given_answers_count() -> None:
    frame = held_out(2)
    frame["predicted"] = 1 - frame["label"]
    got = compare(frame, BINARY, EVALUATE, seed=1)
    assert got["test"]["accuracy"] == 0
    assert got["difference"]["only_model_right"] == 0
    assert got["classes"]["positive"]["recall"] == 0


def skewed(right: int) -> dict[str, dict[str, object]]:
    """Return the figures of a model that finds ``right`` of the 4 rare rows among 100."""
    frame = held_out(2).iloc[:100].assign(split="test", label=np.repeat([0, 1], [96, 4]))
    frame["predicted"] = np.repeat([0, 1, 0], [96, right, 4 - right])
    frame = pd.concat([frame, frame.assign(split="validation")])
    return compare(frame, BINARY, EVALUATE, seed=1)


def test_skewed_test_texts_are_named_with_what_an_accuracy_is_worth() -> None:
    assert skew_sentence(skewed(right=0)) == (
        "96.0 % of the test texts are negative, so the answer negative to every text already has "
        "an accuracy of 96.0 %, and the model has 96.0 %. Two figures count each class alike: the "
        "balanced accuracy is 50.0 % (the same answer to every text: 50.0 %), and the macro F1 is "
        "49.0 % (49.0 %)."
    )
    assert "the model has 98.0 %" in skew_sentence(skewed(right=2))
    assert "balanced accuracy is 75.0 % (" in skew_sentence(skewed(right=2))


def test_balanced_test_texts_need_no_sentence() -> None:
    assert skew_sentence(compare(held_out(3), some_classes(3), EVALUATE, seed=1)) == ""
