"""Test whether a model and the linear baseline differ by more than chance on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from .answers import IntArray, check_labels
from .formats import count, points
from .intervals import paired_interval
from .metrics import Figures

SIGNIFICANCE_LEVEL = 0.05
"""A difference is real if p is below this level, which corresponds to 95 % intervals."""
SMALLEST_P = 0.0001
"""A smaller p is written as "p < 0.0001"."""


def accuracy_difference(
    labels: IntArray,
    model: IntArray,
    baseline: IntArray,
    *,
    samples: int,
    seed: int,
) -> Figures:
    """Compare the accuracies of the model and the baseline, and test for chance.

    The test is McNemar's (1947), exact and two-sided. It counts the rows on which only one of the
    two is right: if both were equally good, a fair coin would decide which one.

    Args:
        labels: true classes, 0 to K-1, (rows,).
        model: the classes that the model answered, 0 to K-1, (rows,).
        baseline: the classes that the baseline answered for the same rows, (rows,).
        samples: number of bootstrap resamples, at least 1.
        seed: seed of the bootstrap.

    Returns:
        accuracy (the model's minus the baseline's, in [-1, 1]) with the ends accuracy_low and
        accuracy_high of its 95 % paired bootstrap interval, the counts only_model_right and
        only_baseline_right, and p_value. p_value has 6 significant digits; the others are rounded
        to 6 decimals.

    Raises:
        DataError: there are no rows, or an argument does not fit its description.
        ValueError: ``samples`` is below 1.
    """
    ahead, behind = _one_right(labels, model, baseline)
    rows = len(labels)
    low, high = paired_interval(ahead, behind, rows, samples, seed)
    p = _mcnemar(ahead, behind, "two-sided")
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
    """Describe the result of ``accuracy_difference`` in a sentence.

    Args:
        difference: result of ``accuracy_difference``.
        rows: number of rows.
        whose: name of the compared model, as within a sentence.
    """
    gap, p = difference["accuracy"], difference["p_value"]
    low, high = (
        points(difference[f"accuracy_{end}"]).removesuffix(" points") for end in ("low", "high")
    )
    side = f"{100 * abs(gap):.1f} points {'below' if gap < 0 else 'above'}"
    verdict = (
        "a real difference"
        if p < SIGNIFICANCE_LEVEL
        else f"not a difference that {count(rows)} texts can show"
    )
    return (
        f"The accuracy of {whose} is {side if gap else 'the same as'} the linear baseline's "
        f"(95 % interval of the difference {low} to {high}), McNemar's {_chance(p)}: {verdict}."
    )


def is_worse(difference: Mapping[str, Any]) -> bool:
    """Return whether the baseline is better, and the difference is real."""
    return bool(difference["accuracy"] < 0 and difference["p_value"] < SIGNIFICANCE_LEVEL)


class Beside(NamedTuple):
    """Whether a model is worse than the linear baseline, and a sentence about it."""

    worse: bool
    sentence: str


def beside_baseline(
    labels: IntArray, model: IntArray, baseline: IntArray, *, whose: str, level: float
) -> Beside:
    """Test whether a model is less often right than the baseline by more than chance.

    The test is McNemar's, exact and one-sided, because only a worse model matters here.

    Args:
        labels: true class of each validation text, 0 to K-1, (rows,); may be empty.
        model: the classes that the model answered, 0 to K-1, (rows,).
        baseline: the classes that the baseline answered for the same rows, (rows,).
        whose: name of the model, as at the start of a sentence.
        level: the model is worse if p is below this level.

    Raises:
        DataError: an argument does not fit its description.
    """
    if not len(labels):
        return Beside(False, f"{whose}: no validation texts to compare with the baseline on.")
    ahead, behind = _one_right(labels, model, baseline)
    p = _mcnemar(ahead, behind, "less")
    worse = p < level
    mine, theirs = (float((answers == labels).mean()) for answers in (model, baseline))
    return Beside(
        worse,
        f"{whose} is {'worse' if worse else 'not found to be worse'} than the linear baseline: "
        f"accuracy {mine:.3f} against {theirs:.3f} on {count(len(labels))} validation texts, "
        f"one-sided McNemar's {_chance(p)}.",
    )


def _one_right(labels: IntArray, model: IntArray, baseline: IntArray) -> tuple[int, int]:
    """Count the rows on which only the model is right, and those with only the baseline right."""
    labels, model = check_labels(labels, model)
    labels, baseline = check_labels(labels, baseline)
    ahead = int(((model == labels) & (baseline != labels)).sum())
    behind = int(((baseline == labels) & (model != labels)).sum())
    return ahead, behind


def _mcnemar(ahead: int, behind: int, alternative: Literal["two-sided", "less"]) -> float:
    from scipy.stats import binomtest  # the import takes a second, and few commands need it

    if not ahead + behind:
        return 1.0
    return float(binomtest(ahead, ahead + behind, alternative=alternative).pvalue)


def _chance(p: float) -> str:
    return f"p < {SMALLEST_P:g}" if p < SMALLEST_P else f"p = {p:.2g}"
