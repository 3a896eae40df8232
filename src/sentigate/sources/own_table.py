"""Read the user's table, from a path or URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from sentigate.artifacts import RAW_TEXTS
from sentigate.errors import SourceError, shorten
from sentigate.model.text.context import with_contexts
from sentigate.model.text.joined import joined
from sentigate.settings.table import TableSource
from sentigate.tables.dialect import Dialect, in_entry
from sentigate.tables.reader import Made, WholeTable, read_columns

from .bands import as_bands
from .dates import as_dates
from .folds import as_folds
from .own_file import find_table, origin_of
from .sentiments import as_labels

TEXT = "text"


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
    dialect = Dialect(
        encoding=source.encoding,
        separator=source.separator,
        no_header=source.no_header,
        plain_quotes=source.plain_quotes,
        sheet=source.sheet,
    )
    files = find_table(source.path, source.sha256, cache, dialect)
    made, columns = {}, source.other_columns
    if len(source.texts) > 1 or source.contexts:
        made[TEXT] = _text_made_of(source)
    else:
        columns = (*source.texts, *columns)
    table = read_columns(files, tuple(dict.fromkeys(columns)), dialect, in_entry(entry), made)
    return _frame(source, table, labels, entry), origin_of(source.path)


def _frame(
    source: TableSource, table: WholeTable, labels: Mapping[str, str | None], entry: str
) -> pd.DataFrame:
    size = table.size

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
    slices = given(source.slice_column)
    texts = table.made[TEXT] if TEXT in table.made else given(source.texts[0])
    values = (ids, groups, slices, sentiments, texts, folds, dates)
    return pd.DataFrame(dict(zip(RAW_TEXTS.columns, values, strict=True)))


def _text_made_of(source: TableSource) -> Made:
    """Return how a row's text is made: the columns of texts joined, behind their contexts."""
    several, names = len(source.texts), source.contexts

    def text(*values: str) -> str:
        parts = joined(values[:several])
        return with_contexts(names, values[several:], parts) if names else parts

    return Made((*source.texts, *names), text)


def _groups(given: pd.Series[str], ids: pd.Series[str]) -> pd.Series[str]:
    """Return ``given``, with a new group for each row without one: its id, or an unused name."""
    without = given.str.strip() == ""
    if not without.any():
        return given
    own, taken = ids, pa.array(given[~without])
    # Not Series.isin, which makes a Python object of each value.
    while pc.any(pc.is_in(pa.array(own[without]), value_set=taken)).as_py():
        own = "row " + own
    return given.where(~without, own).astype("str")


def _first(found: pd.Series[bool]) -> int | None:
    """Return the index of the first True, or None."""
    return int(found.to_numpy().argmax()) if found.any() else None


def _check_ids(ids: pd.Series[str], column: str, table: WholeTable) -> None:
    index = _first((ids == "") | ids.duplicated())
    if index is None:
        return
    value = ids.iloc[index]
    if not value:
        raise SourceError(f"{table.place(index, column)} is empty; every row needs an id")
    first = table.row(_first(ids == value) or 0)
    raise SourceError(
        f"{table.place(index, column)} is {shorten(value)}, like {first}; ids must be unique"
    )
