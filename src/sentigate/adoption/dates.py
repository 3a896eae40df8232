"""Recognize the format of dates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sentigate.sources.dates import UNIX, fitting_formats

LOOKED_AT = 500
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:?\d{2}.*)?")
_DATE_LIKE = re.compile(r"(?=.*\d).{6,40}")


def date_formats(values: Sequence[str], *, of_numbers: bool = False) -> list[str]:
    """Return the usual formats that all values have: 03/04/2024 may be in March or in April.

    Args:
        values: A sample.
        of_numbers: Whether numbers may be seconds or milliseconds since 1970: they may be ids.

    Returns:
        Values of ``date_format``, of which "" stands for ISO 8601; empty if the values are no
        dates.
    """
    some = [value.strip() for value in values[:: max(1, len(values) // LOOKED_AT)]]
    if not some or not all(map(_DATE_LIKE.fullmatch, some[:20])):
        return []
    if all(map(_is_iso, some)):
        return [""]
    return [one for one in fitting_formats(some) if of_numbers or one not in UNIX]


def _is_iso(value: str) -> bool:
    if not _ISO.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
