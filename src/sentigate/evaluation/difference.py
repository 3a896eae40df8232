"""Whether a model and the linear baseline differ by more than chance on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentigate.model.labels import predicted_labels

from .answers import FloatArray, IntArray, check_answers
from .formats import count, points
from .intervals import paired_interval
from .metrics import Figures

LEVEL = 0.05
"""A difference is real where p is below it; it belongs to intervals of 95 %."""
SMALLEST_P = 0.0001
"""A smaller p is not written out."""


def accuracy_difference(
    labels: IntArray,
    model: FloatArray,
    baseline: FloatArray,
    *,
    samples: int,
    seed: int,
) -> Figures:
    """By how much the model is more often right than the baseline, and whether that is chance.

    The test is McNemar's (1947), exact and two-sided: of the rows on which only one of the two is
    right, were neither better, each would have as many as a fair coin gives it.

    Args:
        labels: 0 or 1, (rows,).
        model: its probabilities of class 1, (rows,).
        baseline: the baseline's, of the same rows.
        samples: resamples of the bootstrap, at least 1.
        seed: of the bootstrap.

    Returns:
        accuracy (the model's less the baseline's, in [-1, 1]) with the ends accuracy_low and
        accuracy_high of its 95 % paired bootstrap interval, the counts only_model_right and
        only_baseline_right, and p_value. All but p_value, which has 6 significant digits, are
        rounded to 6 decimals.

    Raises:
        DataError: no rows, other shapes, labels or probabilities than above.
        ValueError: ``samples`` is below 1.
    """
    from scipy.stats import binomtest  # takes a second, which most commands need not wait

    labels, model = check_answers(labels, model)
    labels, baseline = check_answers(labels, baseline)
    model_right = predicted_labels(model) == labels
    baseline_right = predicted_labels(baseline) == labels
    ahead = int((model_right & ~baseline_right).sum())
    behind = int((baseline_right & ~model_right).sum())
    rows = len(labels)
    low, high = paired_interval(ahead, behind, rows, samples, seed)
    p = float(binomtest(ahead, ahead + behind).pvalue) if ahead + behind else 1.0
    return {
        "accuracy": round((ahead - behind) / rows, 6),
        "accuracy_low": round(low, 6),
        "accuracy_high": round(high, 6),
        "only_model_right": ahead,
        "only_baseline_right": behind,
        "p_value": float(f"{p:.6g}"),
    }


def difference_sentence(
    difference: Mapping[str, Any], rows: float | None, whose: str = "the model"
) -> str:
    """What ``accuracy_difference`` found, for people.

    Args:
        difference: what it gave.
        rows: of how many.
        whose: accuracy was compared, within a sentence.
    """
    gap, p = difference["accuracy"], difference["p_value"]
    low, high = (
        points(difference[f"accuracy_{end}"]).removesuffix(" points") for end in ("low", "high")
    )
    side = f"{100 * abs(gap):.1f} points {'below' if gap < 0 else 'above'}"
    chance = f"p < {SMALLEST_P:g}" if p < SMALLEST_P else f"p = {p:.2g}"
    verdict = (
        "a real difference" if p < LEVEL else f"not a difference that {count(rows)} texts can show"
    )
    return (
        f"The accuracy of {whose} is {side if gap else 'the same as'} the linear baseline's "
        f"(95 % interval of the difference {low} to {high}), McNemar's {chance}: {verdict}."
    )
