"""A column of numbers, such as stars or a score, cut into bands that are sentiments."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence

import pandas as pd

from sentigate.errors import SourceError

from .unknown_values import translated

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def as_bands(
    values: pd.Series[str], bands: Sequence[float], place: Callable[[int], str], entry: str
) -> pd.Series[str]:
    """Return the number of each value's band: "1" below the first border, "2" from it, and so on.

    Args:
        values: Numbers as texts; an empty one has the sentiment "".
        bands: Rising borders; a number at a border is in the band above it.
        place: Returns the name of the value at an index, for messages.
        entry: File with the settings of the data set, for messages.

    Raises:
        SourceError: some values are not numbers; the message names all of them.
    """

    def band(value: str) -> str | None:
        text = value.strip()
        if not text:
            return ""
        return str(1 + bisect_right(bands, float(text))) if NUMBER.fullmatch(text) else None

    sentiments, unknown = translated(values, band)
    if unknown is not None:
        raise SourceError(
            f"{place(unknown.first)} {unknown.what}; allowed with source.bands: a number, with a "
            f"point before its fraction, or nothing. Values that are not numbers: "
            f"{unknown.listed()}. Correct the source; or remove bands from {entry}, and write each "
            "value of the column under labels"
        )
    return sentiments
