"""Choose the threshold between two classes, for a metric that 0.5 does not serve.

On skewed data, a calibrated model rarely gives the rare class a probability above one half.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from sentigate.errors import counted
from sentigate.model.labels import Classes, ThresholdMetric

FEW_TEXTS = 50
"""With fewer validation texts of a class, the best threshold may be chance."""


def choose_threshold(
    labels: npt.NDArray[np.integer[Any]],
    probabilities: npt.NDArray[np.floating[Any]],
    metric: ThresholdMetric,
) -> float:
    """Return the threshold with the highest value of a metric.

    All thresholds between two neighbouring probabilities are tried. Among equal ones, the nearest
    to 0.5 is chosen.

    Args:
        labels: 0 or 1, (rows,); both occur.
        probabilities: probabilities of both classes, (rows, 2). The rows must not be training rows.
        metric: the metric to maximise.

    Returns:
        A probability above 0 and below 1; the later class is answered from it on.
    """
    later = probabilities[:, 1].astype(np.float64)
    order = np.argsort(-later, kind="stable")
    found, ordered = np.cumsum(labels[order] == 1), later[order]
    ends = np.flatnonzero(np.diff(ordered, append=-1.0))  # last row of each probability
    middles = (ordered[ends[:-1]] + ordered[ends[:-1] + 1]) / 2
    thresholds = np.clip(np.append(middles, ordered[-1] / 2), 1e-6, 1 - 1e-6)
    positives, rows = int(found[-1]), len(labels)
    hits = found[ends].astype(np.float64)  # later class, answered so
    alarms = ends + 1 - hits  # earlier class, answered as the later
    values = _values(hits, alarms, positives - hits, rows - positives - alarms, metric)
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(round(thresholds[best[np.argmin(np.abs(thresholds[best] - 0.5))]], 6))


def threshold_sentences(
    threshold: float, classes: Classes, labels: npt.NDArray[np.integer[Any]]
) -> Iterator[str]:
    """Yield a sentence about the threshold, and a warning if it may be chance.

    Args:
        threshold: the chosen threshold.
        classes: the two classes.
        labels: labels of the validation texts on which it was chosen, (rows,).
    """
    earlier, later = classes.names
    yield f"the answer is {later} from a probability of {threshold:.3f} on, or else {earlier}"
    counts = np.bincount(labels, minlength=2)
    rarer = int(counts.argmin())
    if counts[rarer] < FEW_TEXTS:
        few = counted(int(counts[rarer]), "validation text")
        yield (
            f"WARNING: that threshold was chosen with {few} of class {classes.names[rarer]}, and "
            f"may be chance; {FEW_TEXTS} or more are better: raise split.validation_size, or add "
            "rows"
        )


def _values(
    tp: npt.NDArray[np.float64],
    fp: npt.NDArray[np.float64],
    fn: npt.NDArray[np.float64],
    tn: npt.NDArray[np.float64],
    metric: ThresholdMetric,
) -> npt.NDArray[np.float64]:
    """Return the metric of each table of hits, false alarms, misses and right rejections."""
    of_later, of_earlier = 2 * tp / (2 * tp + fp + fn), 2 * tn / (2 * tn + fp + fn)
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    values: dict[str, npt.NDArray[np.float64]] = {
        "f1": of_later,
        "macro_f1": (of_later + of_earlier) / 2,
        "balanced_accuracy": (tp / (tp + fn) + tn / (tn + fp)) / 2,
        "mcc": (tp * tn - fp * fn) / np.sqrt(product.clip(min=1.0)),
    }
    return values[metric]
