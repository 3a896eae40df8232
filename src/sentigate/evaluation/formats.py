"""Format figures for people, by their unit."""

from __future__ import annotations

import math
from typing import TypeGuard

from .metrics import Unit

MISSING = "–"


def share(value: float | None) -> str:
    """Write ``0.8123`` as ``81.2 %``. A value near 0 or 1 is not rounded to 0 or 100 %."""
    if not _present(value):
        return MISSING
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    """Write three decimals."""
    return f"{value:.3f}".replace("-", "−") if _present(value) else MISSING


def count(value: float | None) -> str:
    """Write a whole number with separated thousands."""
    return f"{value:,.0f}" if _present(value) else MISSING


def points(value: float | None) -> str:
    """Write a difference of shares in percentage points, with its sign."""
    if not _present(value):
        return MISSING
    return f"{100 * value:+.1f}".replace("-", "−") + " points"


def figure(value: float | None, unit: Unit) -> str:
    """Write a figure in the format of its unit."""
    return {"share": share, "number": number, "count": count}[unit](value)


def difference(value: float, unit: Unit) -> str:
    """Write a difference of two figures, with its sign."""
    if unit == "share":
        return points(value)
    return format(value, "+.3f" if unit == "number" else "+,.0f").replace("-", "−")


def precise(value: float | None, unit: Unit) -> str:
    """Write four decimals, to compare models; a count without decimals; "" if it is missing."""
    if not _present(value):
        return ""
    return f"{value:,.0f}" if unit == "count" else f"{value:.4f}".replace("-", "−")


def _present(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
