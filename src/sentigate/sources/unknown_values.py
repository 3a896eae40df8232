"""Values of a column that have no meaning: all of them at once, with the number of their rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd

from sentigate.errors import counted, shorten

MOST_LISTED = 20
LONGEST = 80
"""With more unknown values, or longer ones, the values are probably in another column."""


class Unknown(NamedTuple):
    """The unknown values of a column.

    Attributes:
        first: Index of the first row with one.
        rows: Value -> number of its rows, in the order of the column.
        others: The known values.
    """

    first: int
    rows: dict[str, int]
    others: list[str]

    @property
    def what(self) -> str:
        """The first value as the end of a sentence: "is 'fine'", or "is empty"."""
        first = next(iter(self.rows))
        return f"is {shorten(first)}" if first.strip() else "is empty"

    @property
    def are_few(self) -> bool:
        """Whether lines to write can name all of them."""
        return len(self.rows) <= MOST_LISTED and max(map(len, self.rows)) <= LONGEST

    def listed(self, order: Callable[[dict[str, int]], dict[str, int]] = lambda rows: rows) -> str:
        """Return the first values with their rows: "'fine' (1 row), 'so' (2 rows) and 5 more"."""
        some = islice(order(self.rows).items(), MOST_LISTED)
        values = ", ".join(f"{shorten(value)} ({counted(rows, 'row')})" for value, rows in some)
        more = len(self.rows) - MOST_LISTED
        return f"{values} and {more:,} more" if more > 0 else values


def translated(
    values: pd.Series[str], meaning: Callable[[str], str | None]
) -> tuple[pd.Series[str], Unknown | None]:
    """Return the meaning of each value, found once for equal values; and the values without one."""
    numbers, names = pd.factorize(values)
    found = list(map(meaning, names))
    unknown = [number for number, meant in enumerate(found) if meant is None]
    if unknown:
        rows = np.bincount(numbers)
        first = int((numbers == unknown[0]).argmax())
        others = [name for name, meant in zip(names, found, strict=True) if meant is not None]
        counts = {names[number]: int(rows[number]) for number in unknown}
        return values, Unknown(first, counts, others)
    known = pd.array(found, dtype="str").take(numbers)
    return pd.Series(known, index=values.index), None
