"""How figures are written for people, by their unit."""

from __future__ import annotations

import math
from typing import TypeGuard

from .metrics import Unit

MISSING = "–"


def share(value: float | None) -> str:
    """``0.8123`` as ``81.2 %``; what is not quite none or all is not rounded to it."""
    if not _present(value):
        return MISSING
    if 0 < value < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= value < 1:
        return "> 99.9 %"
    return f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    """Three decimals."""
    return f"{value:.3f}".replace("-", "−") if _present(value) else MISSING


def count(value: float | None) -> str:
    """Thousands apart."""
    return f"{value:,.0f}" if _present(value) else MISSING


def points(value: float | None) -> str:
    """A difference of shares, in percentage points, with its sign."""
    if not _present(value):
        return MISSING
    return f"{100 * value:+.1f}".replace("-", "−") + " points"


def figure(value: float | None, unit: Unit) -> str:
    """A figure as its unit asks for."""
    return {"share": share, "number": number, "count": count}[unit](value)


def difference(value: float, unit: Unit) -> str:
    """A difference of two figures, with its sign."""
    if unit == "share":
        return points(value)
    return format(value, "+.3f" if unit == "number" else "+,.0f").replace("-", "−")


def precise(value: float | None, unit: Unit) -> str:
    """Four decimals, by which models are compared; a count as it is; empty if it is missing."""
    if not _present(value):
        return ""
    return f"{value:,.0f}" if unit == "count" else f"{value:.4f}".replace("-", "−")


def _present(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
