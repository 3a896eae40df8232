"""The text of a table's value, the same in training and in prediction."""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from numbers import Number

import numpy as np
import pandas as pd


def as_text(value: object) -> str | None:
    """Return a value as people read it: a missing value is "", a date ``2026-11-27``.

    A value that is not a text, number, truth value, date or time gives None.
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
