"""Columns of a table, described as adopt describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.adoption.describe import Column, Survey


def surveyed(columns: Mapping[str, Sequence[object]], chunk: int = 100_000) -> list[Column]:
    """Return the description of columns that come in chunks of rows."""
    texts = {name: list(map(str, values)) for name, values in columns.items()}
    survey = Survey(list(texts))
    for start in range(0, len(next(iter(texts.values()))), chunk):
        some = {name: values[start : start + chunk] for name, values in texts.items()}
        survey.add(
            {name: pa.chunked_array([values], pa.large_string()) for name, values in some.items()}
        )
    return survey.columns()


def column(name: str, counts: Mapping[object, int]) -> Column:
    """Return the description of a column with these values, each in so many rows."""
    values = [value for value, rows in counts.items() for _ in range(rows)]
    return surveyed({name: values})[0]
