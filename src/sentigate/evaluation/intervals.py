"""95 % intervals of a share of correct answers, of the difference of two shares, and of an F1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


def bootstrap_interval(correct: int, rows: int, samples: int, seed: int) -> tuple[float, float]:
    """Return the percentile bootstrap's 95 % interval of ``correct / rows`` (Efron 1979).

    Each of ``rows`` draws with replacement finds a correct answer with probability
    ``correct / rows``. So the number of correct answers in a resample is binomial, and drawing that
    number directly is exact and instant.

    Raises:
        ValueError: ``samples`` is below 1.
    """
    _check(samples)
    return _middle(np.random.default_rng(seed).binomial(rows, correct / rows, samples) / rows)


def paired_interval(
    ahead: int, behind: int, rows: int, samples: int, seed: int
) -> tuple[float, float]:
    """Return the percentile bootstrap's 95 % interval of ``(ahead - behind) / rows``.

    A draw takes both answers to a row, so the difficulty of rows cancels out in the difference. The
    counts of the three kinds of rows in a resample are multinomial, and drawing these counts
    directly is exact and instant.

    Args:
        ahead: number of rows on which only the first model is right.
        behind: number of rows on which only the second model is right.
        rows: number of all rows.
        samples: number of resamples.
        seed: seed of the draws.

    Raises:
        ValueError: ``samples`` is below 1.
    """
    drawn = _resampled([ahead, behind], rows, samples, seed)
    return _middle((drawn[:, 0] - drawn[:, 1]) / rows)


def f1_interval(
    right: int, wrong: int, missed: int, rows: int, samples: int, seed: int
) -> tuple[float, float]:
    """Return the percentile bootstrap's 95 % interval of the F1 of a class.

    As in ``paired_interval``, the counts of the kinds of rows are drawn. A resample without a row
    of the class and without an answer of it has an F1 of 0.

    Args:
        right: number of rows of the class that are predicted to be of it.
        wrong: number of other rows that are predicted to be of it.
        missed: number of rows of the class that are predicted to be of another.
        rows: number of all rows.
        samples: number of resamples.
        seed: seed of the draws.

    Raises:
        ValueError: ``samples`` is below 1.
    """
    drawn = _resampled([right, wrong, missed], rows, samples, seed)
    either = 2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2]
    return _middle(2 * drawn[:, 0] / np.maximum(either, 1))


def wilson_interval(
    correct: npt.NDArray[Any], rows: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the 95 % score intervals of ``correct / rows`` (Wilson 1927), in the same shape."""
    share = correct / rows
    centre = share + Z95**2 / (2 * rows)
    spread = Z95 * np.sqrt(share * (1 - share) / rows + (Z95 / (2 * rows)) ** 2)
    scale = 1 + Z95**2 / rows
    return np.clip((centre - spread) / scale, 0, 1), np.clip((centre + spread) / scale, 0, 1)


def _resampled(counts: Sequence[int], rows: int, samples: int, seed: int) -> npt.NDArray[np.int64]:
    """Return how often each kind of row, and any other row, is drawn: (samples, kinds + 1)."""
    _check(samples)
    shares = np.array([*counts, rows - sum(counts)]) / rows
    return np.random.default_rng(seed).multinomial(rows, shares, samples)


def _middle(values: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the ends between which the middle 95 % of the values are."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _check(samples: int) -> None:
    if samples < 1:
        raise ValueError(f"samples must be at least 1, not {samples}")
