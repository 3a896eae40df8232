"""The text of a table's value, in training and in answers the same."""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from numbers import Number

import numpy as np
import pandas as pd


def as_text(value: object) -> str | None:
    """A value as people read it: a missing one is "", and a date ``2026-11-27``.

    Returns:
        None where it is no text, number, truth value, date or time.
    """
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, Number):
        return "" if isinstance(value, float | np.floating) and math.isnan(value) else str(value)
    return str(value) if isinstance(value, date | time | timedelta) else None
