"""Read the data sets of datasets/, each into the same columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sentigate.errors import SourceError, shorten
from sentigate.settings.dataset import ImdbSource, Source, TwitterSource, VaderSource
from sentigate.settings.entry_files import entry_file
from sentigate.settings.table import TableSource

from . import imdb, twitter, vader
from . import own_table as table
from .sentiments import as_labels

__all__ = ["read_source"]


def read_source(
    source: Source,
    labels: Mapping[str, str | None],
    max_characters: int,
    cache: Path,
    dataset: str = "NAME",
) -> pd.DataFrame:
    """Read a data set as published; this function cleans and drops nothing.

    An archive comes from the folder in the environment variable SENTIGATE_MIRROR, or from
    ``cache``, or from the network. Downloads are kept in ``cache``.

    Args:
        source: The ``source`` of a data set.
        labels: Each sentiment that the source may have -> the name of its class, or None.
        max_characters: Length of the longest allowed text, in characters.
        cache: Folder for verified downloads; created if it is missing.
        dataset: Name of the data set, for messages.

    Returns:
        One row per text, in the order of the files, with these columns, all str and without nulls:
        id (unique), group (rows that must stay in one split), slice (domain, entity or rating),
        sentiment (one of ``labels``), text (may be empty), fold ("", "train", "test" or
        "validation", as published), date (ISO 8601, or "").

    Raises:
        SourceError: the source is unreachable, is not the expected file, or has a value that is
            not allowed; the message names the value and its place.
    """
    entry = entry_file(dataset)
    match source:
        case VaderSource():
            frame, origin = vader.read(source, cache), "vader"
        case TwitterSource():
            frame, origin = twitter.read(source, cache), "twitter"
        case ImdbSource():
            frame, origin = imdb.read(source, cache), "imdb"
        case TableSource():
            frame, origin = table.read(source, labels, cache, entry)
    if not isinstance(source, TableSource):  # whose reader names the column, too
        frame["sentiment"] = as_labels(
            frame["sentiment"],
            labels,
            lambda index: (
                f"{origin}: row {index + 1:,} ({frame['id'].iloc[index]}), the sentiment,"
            ),
            entry,
        )
    _check_lengths(frame, max_characters, origin)
    return frame


def _check_lengths(frame: pd.DataFrame, max_characters: int, origin: str) -> None:
    lengths = frame["text"].str.len()
    too_long = lengths[lengths > max_characters]
    if len(too_long):
        place = too_long.index[0]
        raise SourceError(
            f"{origin}: row {place + 1:,} (id {shorten(frame['id'].iloc[place])}) has a text of "
            f"{too_long.iloc[0]:,} characters; allowed: {max_characters:,} "
            "(gates.max_text_characters)"
        )
