"""The figures of each class, against all other classes."""

from __future__ import annotations

import numpy as np

from sentigate.model.labels import Classes
from sentigate.settings.params import EvaluateParams

from .answers import FloatArray, IntArray
from .intervals import f1_interval, wilson_interval
from .metrics import Figures, class_auroc, metric_input, rounded


def class_figures(
    labels: IntArray,
    probabilities: FloatArray,
    predicted: IntArray,
    classes: Classes,
    settings: EvaluateParams,
    seed: int,
) -> dict[str, Figures]:
    """Compute the figures of each class, rounded to 6 decimals so that files stay stable.

    Args:
        labels: true classes, 0 to K-1, integers, (rows,).
        probabilities: probability of each class, in [0, 1], (rows, K).
        predicted: answered classes, 0 to K-1, (rows,).
        classes: names of the K classes.
        settings: number of bootstrap resamples.
        seed: seed of the bootstrap.

    Returns:
        Name of the class -> ``rows`` of the class, ``precision``, ``recall`` and ``f1``, each 0 if
        it is undefined, and each with the ends ``_low`` and ``_high`` of its 95 % interval, and
        ``auroc`` against all other rows. The intervals of precision and recall are those of Wilson
        (1927), and that of F1 is the bootstrap's. An interval that is undefined, because the class
        does not occur or is never predicted, and an AUROC that is undefined, are None.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
    """
    answers = metric_input(labels, probabilities, predicted, classes, settings, seed)
    counts = answers.confusion
    figures = {}
    for number, name in enumerate(classes.names):
        right, rows, found = (
            int(count)
            for count in (counts[number, number], counts[number].sum(), counts[:, number].sum())
        )
        f1: Figures = {"f1": 2 * right / (rows + found) if rows + found else 0.0}
        ends: tuple[float | None, float | None] = (None, None)
        if rows + found:
            ends = f1_interval(
                right,
                found - right,
                rows - right,
                len(answers.labels),
                settings.bootstrap_samples,
                seed,
            )
        figures[name] = rounded(
            {
                "rows": rows,
                **_share("precision", right, found),
                **_share("recall", right, rows),
                **f1,
                **dict(zip(("f1_low", "f1_high"), ends, strict=True)),
                "auroc": class_auroc(answers.labels, answers.probabilities, number),
            }
        )
    return figures


def _share(key: str, right: int, rows: int) -> Figures:
    """Return ``right / rows`` by its key, with the ends of its interval."""
    if not rows:
        return {key: 0.0, f"{key}_low": None, f"{key}_high": None}
    low, high = wilson_interval(np.array(right), np.array(rows))
    return {key: right / rows, f"{key}_low": float(low), f"{key}_high": float(high)}
