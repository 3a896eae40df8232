"""Labels, with probabilities as from a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sentigate.model.answers import named_columns, predicted_labels
from sentigate.model.labels import BINARY, Classes
from sentigate.settings.params import EvaluateParams

EVALUATE = EvaluateParams(bootstrap_samples=100, calibration_bins=15, listed_errors=3)
STARS = Classes(names=("terrible", "bad", "fine", "good", "superb"), ordered=True)
MOODS = Classes(names=("negative", "neutral", "positive"))


def two(later: Any) -> np.ndarray:
    """Return the probabilities of two classes, (rows, 2), from those of the later one, (rows,)."""
    values = np.asarray(later)
    return np.stack([1 - values, values], axis=1)


ANSWERS = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=60
).map(lambda pairs: (np.array([y for y, _ in pairs]), two([p for _, p in pairs])))
"""Any labels of two classes and probabilities, including labels of only one class."""


def answers(rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of two classes, and probabilities (float32) that are mostly right."""
    rng = np.random.default_rng(0)
    labels = rng.binomial(1, 0.6, rows)
    logits = (2 * labels - 1) * 0.8 + rng.normal(0, 1, rows)
    return labels, two((1 / (1 + np.exp(-logits))).astype(np.float32))


def class_answers(count: int, rows: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels of ``count`` classes, and probabilities (float32) that are mostly right."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(count, rows, p=np.arange(1, count + 1) / np.arange(1, count + 1).sum())
    logits = rng.normal(0, 1, (rows, count))
    logits[np.arange(rows), labels] += 1.5
    raised = np.exp(logits)
    return labels, (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


def some_classes(count: int) -> Classes:
    """Return ``count`` classes; two are negative and positive."""
    return BINARY if count == 2 else Classes(names=tuple(f"class {n}" for n in range(count)))


def answers_frame(labels: Any, probabilities: Any, slices: Any) -> pd.DataFrame:
    """Return test rows with the columns of reports/predictions.parquet and of the texts.

    ``probabilities`` may be (rows, K), or (rows,) of the later of two classes.
    """
    ids = [f"r{number:04d}" for number in range(len(labels))]
    values = np.asarray(probabilities)
    values = two(values) if values.ndim == 1 else values
    return pd.DataFrame(
        {
            "id": ids,
            "slice": slices,
            "text": [f"text of {name}" for name in ids],
            "label": labels,
            "predicted": predicted_labels(values).astype(np.int8),
            **named_columns("probability", values),
        }
    )
