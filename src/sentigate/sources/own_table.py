"""Read the user's table, from a path or URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.artifacts import RAW_TEXTS
from sentigate.errors import SourceError, shorten
from sentigate.model.text.context import with_contexts
from sentigate.model.text.joined import joined
from sentigate.model.text.values import as_text
from sentigate.settings.table import TableSource
from sentigate.tables.compression import format_of, unpack
from sentigate.tables.parse import PARSERS, Chunk

from .bands import as_bands
from .dates import as_dates
from .folds import as_folds
from .own_file import find, named
from .sentiments import as_labels

CHUNK = 8192
"""Texts held as Python objects at one time, while they are joined."""


def read(
    source: TableSource, labels: Mapping[str, str | None], cache: Path, entry: str
) -> tuple[pd.DataFrame, str]:
    """Read the rows of the table; also return its name for messages.

    Without ``source.id_column``, a row's ``id`` is its number. Without ``group_column``, or with an
    empty value in it, a row is a group of its own. Without their columns, ``slice``, ``fold`` and
    ``date`` are "". A missing text is "". With ``context_column``, any other text begins with a
    token for each context.

    Args:
        source: The columns and their meaning.
        labels: Each sentiment that the table may have -> the name of its class, or None.
        cache: Folder for downloads.
        entry: File with the settings of the data set, for messages.

    Raises:
        SourceError: the file does not exist, cannot be read, or has a value that is not allowed.
    """
    name, origin = named(source.path)
    format_, compression = format_of(name, origin)  # before a download
    columns = source.columns
    with find(source.path, source.sha256, cache).path.open("rb") as packed:
        if not os.fstat(packed.fileno()).st_size:
            raise SourceError(f"{origin} is empty")
        with unpack(packed, compression, origin) as file:
            table = _collect(PARSERS[format_](file, columns, origin), columns, origin)
    return _frame(source, table, labels, entry), origin


class OwnColumns(NamedTuple):
    """All rows of the wanted columns, as str, and the place of each row in the file."""

    columns: dict[str, pd.Series[str]]
    places: npt.NDArray[np.int64]
    unit: str
    origin: str

    def place(self, index: int, column: str) -> str:
        """Return the name of a value in messages."""
        return _place(self.origin, self.unit, self.places[index], column)


def _place(origin: str, unit: str, number: int, column: str) -> str:
    return f"{origin}: {unit} {number:,}, column {column!r}"


def _collect(chunks: Iterable[Chunk], names: Collection[str], origin: str) -> OwnColumns:
    """Join all chunks into Arrow columns; only one chunk at a time is Python objects."""
    arrays: dict[str, list[pa.Array]] = {name: [] for name in names}
    places = []
    unit = ""
    for chunk in chunks:
        for name in names:
            values = [
                value
                if isinstance(value, str)
                else _as_text(value, _place(origin, chunk.unit, number, name))
                for value, number in zip(chunk.columns[name], chunk.places, strict=True)
            ]
            arrays[name].append(pa.array(values, pa.large_string()))
        places.append(np.asarray(chunk.places, dtype=np.int64))
        unit = chunk.unit
    if not places:
        raise SourceError(f"{origin} has columns but no rows")
    columns = {}
    for name in names:
        columns[name] = pd.Series(pa.concat_arrays(arrays.pop(name)), dtype="str")
    return OwnColumns(columns, np.concatenate(places), unit, origin)


def _frame(
    source: TableSource, table: OwnColumns, labels: Mapping[str, str | None], entry: str
) -> pd.DataFrame:
    size = len(table.places)

    def given(column: str | None) -> pd.Series[str]:
        nothing = pd.Series("", index=range(size), dtype="str")
        return nothing if column is None else table.columns[column]

    def place(column: str | None) -> Callable[[int], str]:
        return lambda index: table.place(index, column or "")

    sentiments = given(source.sentiment_column)
    if source.bands is not None:
        sentiments = as_bands(sentiments, source.bands, place(source.sentiment_column), entry)
    sentiments = as_labels(sentiments, labels, place(source.sentiment_column), entry)
    if source.id_column is None:
        numbers = pa.array(np.arange(1, size + 1)).cast(pa.large_string())
        ids = pd.Series(numbers, dtype="str")
    else:
        ids = table.columns[source.id_column]
        _check_ids(ids, source.id_column, table)
    groups = ids if source.group_column is None else _groups(given(source.group_column), ids)
    folds, dates = given(source.fold_column), given(source.date_column)
    if source.fold_column is not None:
        folds = as_folds(folds, source.folds, place(source.fold_column), entry)
    if source.date_column is not None:
        dates = as_dates(dates, source.date_format, place(source.date_column), entry)
    slices, texts = given(source.slice_column), _texts(source, table)
    values = (ids, groups, slices, sentiments, texts, folds, dates)
    return pd.DataFrame(dict(zip(RAW_TEXTS.columns, values, strict=True)))


def _texts(source: TableSource, table: OwnColumns) -> pd.Series[str]:
    """Return the texts with their contexts, from one Arrow column to another."""
    parts = [table.columns[name] for name in source.texts]
    contexts = [table.columns[name] for name in source.contexts]
    if len(parts) == 1 and not contexts:
        return parts[0]

    def chunks() -> Iterator[pa.Array]:
        for start in range(0, len(table.places), CHUNK):
            rows = slice(start, start + CHUNK)
            texts = list(
                map(joined, zip(*(part.iloc[rows].tolist() for part in parts), strict=True))
            )
            if contexts:
                named = zip(*(each.iloc[rows].tolist() for each in contexts), strict=True)
                texts = [
                    with_contexts(source.contexts, values, text)
                    for values, text in zip(named, texts, strict=True)
                ]
            yield pa.array(texts, pa.large_string())

    return pd.Series(pa.concat_arrays(list(chunks())), dtype="str")


def _groups(given: pd.Series[str], ids: pd.Series[str]) -> pd.Series[str]:
    """Return ``given``, with a new group for each row without one: its id, or an unused name."""
    without = given.str.strip() == ""
    own = ids
    while own[without].isin(given[~without]).any():
        own = "row " + own
    return given.where(~without, own).astype("str")


def _first(found: pd.Series[bool]) -> int | None:
    """Return the index of the first True, or None."""
    return int(found.to_numpy().argmax()) if found.any() else None


def _as_text(value: object, place: str) -> str:
    text = as_text(value)
    if text is None:
        raise SourceError(f"{place} is {shorten(value)}; allowed: text, a number or a date")
    return text


def _check_ids(ids: pd.Series[str], column: str, table: OwnColumns) -> None:
    index = _first((ids == "") | ids.duplicated())
    if index is None:
        return
    value = ids.iloc[index]
    if not value:
        raise SourceError(f"{table.place(index, column)} is empty; every row needs an id")
    first = table.places[_first(ids == value)]
    raise SourceError(
        f"{table.place(index, column)} is {shorten(value)}, like {table.unit} {first:,}; "
        "ids must be unique"
    )
