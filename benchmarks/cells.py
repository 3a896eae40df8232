"""Format figures for the cells of a Markdown table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from sentigate.evaluation.difference import SMALLEST_P


def spread(values: Sequence[float], digits: int = 4) -> str:
    """Write the mean, and the lowest and the highest of several values."""
    mean = f"{statistics.mean(values):.{digits}f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def points(value: float) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def chance(p: float) -> str:
    """Write what follows a test's p: "= 0.02", or "< 0.0001" if it is smaller than that."""
    return f"< {SMALLEST_P:g}" if p < SMALLEST_P else f"= {p:.2g}"
