"""A table of the user's own, from a path or URL."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection
from datetime import date
from numbers import Number
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd

from ..errors import SourceError, shorten
from ..params import CsvSource
from .compression import format_of, unpack
from .download import download, kept_download, without_secrets, wrong_hash
from .parse import PARSERS, Table
from .rows import frame_of

FOLDS = ("train", "test")


def read(source: CsvSource, labels: Collection[str], cache: Path) -> tuple[pd.DataFrame, str]:
    """The rows of the table, and its name for messages.

    A row's ``id`` is its number where ``source.id_column`` is null; ``group`` is then the id where
    ``group_column`` is null; ``slice`` and ``fold`` are "" where theirs are. A missing text is "".

    Raises:
        SourceError: the file is not there, not readable, or holds something that is not allowed.
    """
    is_url = source.path.lower().startswith(("http://", "https://"))
    origin = without_secrets(source.path) if is_url else source.path
    name = unquote(urlsplit(source.path).path) if is_url else source.path
    if not is_url:
        _check_is_file(source.path)
    format_, compression = format_of(PurePosixPath(name).name, origin)
    data = _download(source, name, cache) if is_url else _read_file(source)
    wanted = (
        source.text_column,
        source.sentiment_column,
        source.id_column,
        source.group_column,
        source.slice_column,
        source.fold_column,
    )
    columns = list(dict.fromkeys(column for column in wanted if column is not None))
    if not data:
        raise SourceError(f"{origin} is empty")
    table = PARSERS[format_](unpack(data, compression, origin), columns, origin)
    if not table.places:
        raise SourceError(f"{origin} has columns and no rows")
    return _frame(source, table, labels, origin), origin


def _check_is_file(path: str) -> None:
    if "://" in path:
        raise SourceError(f"{shorten(path)}: of URLs, only http and https are allowed")
    if Path(path).is_dir():
        raise SourceError(f"{path} is a folder; name a file in it")
    if not Path(path).is_file():
        raise SourceError(f"{path} does not exist (looked for in {Path.cwd()})")


def _read_file(source: CsvSource) -> bytes:
    try:
        data = Path(source.path).read_bytes()
    except OSError as error:
        raise SourceError(f"{source.path} cannot be read: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if source.sha256 not in (None, found):
        raise wrong_hash(
            source.path,
            [str(source.sha256)],
            found,
            "Put the right file there, or change sha256 in params.yaml if the change is meant.",
        )
    return data


def _download(source: CsvSource, name: str, cache: Path) -> bytes:
    # Two addresses may end in the same file name.
    prefix = hashlib.sha256(source.path.encode()).hexdigest()[:12]
    target = cache / f"{prefix}-{PurePosixPath(name).name[-100:]}"
    accepted = None if source.sha256 is None else [source.sha256]
    if accepted is None or not kept_download(target, accepted):
        download(source.path, target, accepted)
    return target.read_bytes()


def _frame(source: CsvSource, table: Table, labels: Collection[str], origin: str) -> pd.DataFrame:
    def place(index: int, column: str) -> str:
        return f"{origin}: {table.unit} {table.places[index]:,}, column {column!r}"

    def column(name: str) -> list[str]:
        return [
            value if isinstance(value, str) else _as_text(value, index, name, place)
            for index, value in enumerate(table.columns[name])
        ]

    size = len(table.places)
    sentiments = _sentiments(column(source.sentiment_column), source, labels, place)
    if source.id_column is None:
        ids = [str(number) for number in range(1, size + 1)]
    else:
        ids = column(source.id_column)
        _check_ids(ids, source.id_column, table, place)
    groups = ids
    if source.group_column is not None:
        groups = column(source.group_column)
        if "" in groups:
            raise SourceError(
                f"{place(groups.index(''), source.group_column)} is empty; give every row a group, "
                "or set group_column to null"
            )
    slices = [""] * size if source.slice_column is None else column(source.slice_column)
    folds = [""] * size
    if source.fold_column is not None:
        folds = column(source.fold_column)
        for index, fold in enumerate(folds):
            if fold not in FOLDS:
                raise SourceError(
                    f"{place(index, source.fold_column)} is {shorten(fold)}; "
                    f"allowed: {', '.join(FOLDS)}"
                )
    texts = column(source.text_column)
    return frame_of(list(zip(ids, groups, slices, sentiments, texts, folds, strict=True)))


def _as_text(value: object, index: int, name: str, place: Callable[[int, str], str]) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Number | date):
        return str(value)
    raise SourceError(
        f"{place(index, name)} is {shorten(value)}; allowed: text, a number or a date"
    )


def _sentiments(
    values: list[str],
    source: CsvSource,
    labels: Collection[str],
    place: Callable[[int, str], str],
) -> list[str]:
    # Whole numbers beside a missing one, or from pandas, are often stored as 0.0 and 1.0.
    label_of = {f"{label}.0": label for label in labels} | {label: label for label in labels}
    for index, value in enumerate(values):
        if value not in label_of:
            what = f"is {shorten(value)}" if value.strip() else "is empty"
            raise SourceError(
                f"{place(index, source.sentiment_column)} {what}; "
                f"allowed (the data set's labels): {', '.join(labels)}"
            )
    return [label_of[value] for value in values]


def _check_ids(ids: list[str], name: str, table: Table, place: Callable[[int, str], str]) -> None:
    first: dict[str, int] = {}
    for index, value in enumerate(ids):
        if not value:
            raise SourceError(f"{place(index, name)} is empty; every row needs an id")
        if first.setdefault(value, index) != index:
            raise SourceError(
                f"{place(index, name)} is {shorten(value)}, as is {table.unit} "
                f"{table.places[first[value]]:,}; ids must be unique"
            )
