"""What the columns of a table hold: exact counts over the whole file, shapes from a sample."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from sentigate.data.spacing import spacing

from .dates import date_formats

SAMPLE = 10_000
"""Most rows in the sample, which is spread evenly over the file."""
MOST_VALUES = 2_000
"""With more distinct values, a column's values are not counted."""
LONG = 60.0
"""With longer values (mean in the sample), distinct values are counted in the sample only."""
NUMBER = re.compile(r"[+-]?(\d+([.]\d*)?|[.]\d+)([eE][+-]?\d+)?")
_LINK = re.compile(r"(https?://|www\.)\S+")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Name of the column.
        rows: Number of rows in the file.
        filled: Number of rows with a value that is not blank.
        distinct: Number of distinct values that are not blank; of the sample, if ``is_long``.
        counts: Value -> rows, over the whole file; None with more than MOST_VALUES values.
        sample: Values of the sample that are not blank.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    counts: Mapping[str, int] | None
    sample: Sequence[str]

    @cached_property
    def characters(self) -> float:
        """Mean length of the values."""
        return _mean([len(value) for value in self.sample])

    @cached_property
    def words(self) -> float:
        """Mean number of words; with texts without spaces, of pairs of characters."""
        if self.has_spaces:
            return _mean([len(value.split()) for value in self.sample])
        return self.characters / 2

    @cached_property
    def has_spaces(self) -> bool:
        """Whether spaces separate the words."""
        return spacing(self.sample).parts_words

    @cached_property
    def without_spaces(self) -> float:
        """Share of the values in which no spaces separate the words."""
        return _mean([not spacing([value]).parts_words for value in self.sample[:1000]])

    @property
    def is_long(self) -> bool:
        """Whether the values are too long to count distinct ones over the whole file."""
        return self.characters > LONG

    @cached_property
    def is_number(self) -> bool:
        """Whether nearly all values are numbers."""
        return self._share(NUMBER) >= 0.98

    @cached_property
    def is_link(self) -> bool:
        """Whether most values are links."""
        return self._share(_LINK) > 0.5

    @cached_property
    def date_format(self) -> str | None:
        """Format of the dates; "" for ISO 8601; None if the values are no dates."""
        return next(iter(date_formats(self.sample)), None)

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return not self.is_long and self.distinct == self.filled == self.rows

    @property
    def largest(self) -> float:
        """Share of the rows with the most frequent value, in the whole file or the sample."""
        counts = self.counts or pd.Series(self.sample, dtype="str").value_counts().to_dict()
        return max(counts.values(), default=0) / max(1, sum(counts.values()))

    def _share(self, pattern: re.Pattern[str]) -> float:
        return _mean([pattern.fullmatch(value.strip()) is not None for value in self.sample])


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


class Survey:
    """Columns of a table that comes in chunks; memory holds the sample and 8 bytes a value."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.rows = 0
        self._step = 1
        self._sampled: dict[str, list[str]] = {name: [] for name in names}
        self._counted = {name: _Values() for name in names}

    @property
    def sampled(self) -> int:
        """Number of rows in the sample."""
        return max(map(len, self._sampled.values()), default=0)

    def add(self, columns: Mapping[str, pa.ChunkedArray]) -> None:
        """Add the next rows: a column of texts, "" for a missing value, for each name."""
        size = len(next(iter(columns.values()), ()))
        taken = np.arange(-self.rows % self._step, size, self._step)
        for name in self.names:
            values = self._sampled[name]
            values += columns[name].take(pa.array(taken)).to_pylist()
            self._counted[name].add(columns[name], values)
        self.rows += size
        while self.sampled > SAMPLE:
            self._step *= 2
            self._sampled = {name: values[::2] for name, values in self._sampled.items()}

    def columns(self) -> list[Column]:
        """Return the columns, in the order of the file."""
        found = []
        for name in self.names:
            counted = self._counted[name]
            sample = [value for value in self._sampled[name] if value.strip()]
            distinct = counted.distinct() if counted.hashes is not None else len(set(sample))
            found.append(Column(name, self.rows, counted.filled, distinct, counted.counts, sample))
        return found


class _Values:
    """The values of one column: their number, and counts while there are few of them."""

    def __init__(self) -> None:
        self.filled = 0
        self.counts: dict[str, int] | None = {}
        self.hashes: list[np.ndarray] | None = []

    def add(self, values: pa.ChunkedArray, sample: Sequence[str]) -> None:
        if self.hashes is not None and _mean([len(value) for value in sample[-1000:]]) > LONG:
            self.counts = self.hashes = None
        filled = values.filter(pc.not_equal(pc.utf8_trim_whitespace(values), ""))
        self.filled += len(filled)
        if self.hashes is None or not len(filled):
            return
        found = pc.value_counts(filled.combine_chunks())
        names = found.field(0)
        self.hashes.append(np.unique(pd.util.hash_array(np.asarray(names.to_pylist(), object))))
        if len(self.hashes) > 64:
            self.hashes = [np.unique(np.concatenate(self.hashes))]
        if self.counts is None:
            return
        for name, rows in zip(names.to_pylist(), found.field(1).to_pylist(), strict=True):
            self.counts[name] = self.counts.get(name, 0) + rows
        if len(self.counts) > MOST_VALUES:
            self.counts = None

    def distinct(self) -> int:
        return len(np.unique(np.concatenate(self.hashes))) if self.hashes else 0
