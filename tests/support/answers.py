"""Labels, with probabilities as from a model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from sentigate.settings.params import EvaluateParams

EVALUATE = EvaluateParams(bootstrap_samples=100, calibration_bins=15, listed_errors=3)
ANSWERS = st.lists(
    st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=60
).map(lambda pairs: (np.array([y for y, _ in pairs]), np.array([p for _, p in pairs])))
"""Any labels and probabilities, including labels of only one class."""


def answers(rows: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, and probabilities (float32) that are mostly right."""
    rng = np.random.default_rng(0)
    labels = rng.binomial(1, 0.6, rows)
    logits = (2 * labels - 1) * 0.8 + rng.normal(0, 1, rows)
    return labels, (1 / (1 + np.exp(-logits))).astype(np.float32)


def answers_frame(labels: Any, probabilities: Any, slices: Any) -> pd.DataFrame:
    """Return test rows with the columns of reports/predictions.parquet and of the texts."""
    ids = [f"r{number:04d}" for number in range(len(labels))]
    return pd.DataFrame(
        {
            "id": ids,
            "slice": slices,
            "text": [f"text of {name}" for name in ids],
            "label": labels,
            "probability": probabilities,
        }
    )
