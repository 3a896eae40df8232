"""Recognize the format of dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

LOOKED_AT = 500
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:?\d{2}.*)?")
_DIGITS = re.compile(r"\d")
FORMATS = (
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%m %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
)
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


def date_format(values: Sequence[str]) -> str | None:
    """Return the first format that all values have; "" for ISO 8601; None if there is none."""
    return next(iter(date_formats(values)), None)


def date_formats(values: Sequence[str]) -> list[str]:
    """Return all formats that all values have: 03/04/2024 may be in March or in April."""
    some = [value.strip() for value in values[:: max(1, len(values) // LOOKED_AT)]]
    if not some or not all(_DIGITS.search(value) and len(value) >= 6 for value in some[:20]):
        return []
    if all(map(_is_iso, some)):
        return [""]
    formats = [one + time for one in FORMATS for time in (TIMES if "%H" not in one else ("",))]
    for value in some:
        formats = [one for one in formats if _fits(value, one)]
        if not formats:
            return []
    return formats


def _is_iso(value: str) -> bool:
    if not _ISO.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _fits(value: str, one: str) -> bool:
    try:
        datetime.strptime(value, one)
    except ValueError:
        return False
    return True
