"""The date of each row in one form, whose texts sort by time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime

import pandas as pd

from sentigate.errors import SourceError

from .unknown_values import Unknown, translated

DAYS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y"),
)
PROPOSED = (
    *DAYS,
    *(f"{day} {time}" for day in DAYS for time in ("%H:%M:%S", "%H:%M", "%I:%M:%S %p")),
    *("%Y", "%Y-%m", "%B %Y", "%b %Y", "%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z"),
)
"""Formats to be proposed; one is only used if the settings say so."""
UNIX = {"unix": 1, "unix_ms": 1000}
"""Name of a format -> its units in a second: seconds or milliseconds since 1970."""
DIGITS = {"unix": (9, 10), "unix_ms": (12, 13)}
"""Digits of these numbers from 1973 on, by which a format is proposed."""
TIME = re.compile(r"%-?[HIMSfpcXT]")


def as_dates(
    values: pd.Series[str], date_format: str | None, place: Callable[[int], str], entry: str
) -> pd.Series[str]:
    """Return each date as ISO 8601, such as 2026-11-27 or 2026-11-27T10:30:00; "" for none.

    A time with an offset becomes UTC, without the offset. The texts of one column sort by time.

    Args:
        values: Dates as texts.
        date_format: Format of strptime, or a key of ``UNIX``; None for ISO 8601.
        place: Returns the name of the value at an index, for messages.
        entry: File with the settings of the data set, for messages.

    Raises:
        SourceError: some values are not dates of this format; the message has all of them, and the
            line to write if a usual format fits all values.
    """
    dates, unknown = translated(values, lambda value: _iso(value, date_format))
    if unknown is not None:
        raise _refusal(unknown, date_format, place(unknown.first), entry)
    return dates


def _iso(value: str, date_format: str | None) -> str | None:
    text = value.strip()
    if not text:
        return ""
    try:
        if date_format is None:
            return _of_iso(text)
        if date_format in UNIX:
            moment = datetime.fromtimestamp(float(text) / UNIX[date_format], UTC)
            return _in_utc(moment)
        moment = datetime.strptime(text, date_format)
        return _in_utc(moment) if TIME.search(date_format) else moment.date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _of_iso(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return _in_utc(datetime.fromisoformat(text))


def _in_utc(moment: datetime) -> str:
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def _refusal(unknown: Unknown, date_format: str | None, place: str, entry: str) -> SourceError:
    allowed = (
        "a date of ISO 8601, such as 2026-11-27 or 2026-11-27T10:30:00"
        if date_format is None
        else f"a date of date_format {date_format!r}"
    )
    message = (
        f"{place} {unknown.what}; allowed: {allowed}, or nothing. Values that are not: "
        f"{unknown.listed()}"
    )
    fitting = fitting_formats([*unknown.rows, *unknown.others])
    if not fitting:
        return SourceError(
            f"{message}. Correct the source, or write its date_format in {entry} under source, in "
            'the way of Python\'s strptime, such as date_format: "%d.%m.%Y"'
        )
    first = "Write this" if len(fitting) == 1 else "Write one of these lines"
    lines = "\n".join(
        f"  date_format: {each}" if each in UNIX else f'  date_format: "{each}"' for each in fitting
    )
    return SourceError(f"{message}. {first} in {entry} under source:\n{lines}")


def fitting_formats(values: Iterable[str]) -> list[str]:
    """Return the usual formats that fit all dates except empty ones: ``UNIX`` and ``PROPOSED``."""
    given = [value.strip() for value in values if value.strip()]
    return [each for each in (*UNIX, *PROPOSED) if given and _fits(each, given)]


def _fits(date_format: str, values: Sequence[str]) -> bool:
    digits = DIGITS.get(date_format)
    return all(
        (digits is None or len(value.partition(".")[0]) in digits)
        and _iso(value, date_format) is not None
        for value in values
    )
