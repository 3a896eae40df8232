"""The rule by_time: the newest clusters are the test split, the newest of the rest validation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.errors import DataError, counted, shorten

from .clusters import Rows, clusters_of


def refuse_rows_without_date(texts: pd.DataFrame) -> None:
    """Refuse rows that have no place in time.

    Args:
        texts: Columns id and date.

    Raises:
        DataError: a date is "".
    """
    without = texts.loc[texts["date"] == "", "id"]
    if len(without):
        raise DataError(
            f"rule by_time needs a date in every row; {counted(len(without), 'row')} of "
            f"{len(texts):,} "
            f"{'has' if len(without) == 1 else 'have'} none, the first has id "
            f"{shorten(without.iloc[0])}; allowed: a date in source.date_column for each, or "
            "another rule"
        )


def split_by_time(texts: pd.DataFrame, size: float, seed: int) -> tuple[Rows, Rows]:
    """Return the row numbers of the older side, and of the newer, which has about ``size`` of all.

    A cluster is as new as its newest row, and is not parted. The seed decides between clusters of
    the same time, because the order of a file may depend on the class.

    Args:
        texts: Columns group, text and date, and optionally near_copies.
        size: Share of the rows on the newer side.
        seed: Seed of the order of clusters of the same time.

    Raises:
        ValueError: there is only one cluster, or no row.
    """
    clusters = clusters_of(texts)
    times = _newest_of(clusters, texts["date"])
    if len(times) < 2:
        raise ValueError("all rows are in one cluster" if len(times) else "there are no rows")
    order = np.lexsort((np.random.default_rng(seed).permutation(len(times)), -times))
    rows = np.cumsum(np.bincount(clusters)[order])
    taken = 1 + int(np.abs(rows[:-1] - size * len(texts)).argmin())
    newer = np.zeros(len(times), dtype=bool)
    newer[order[:taken]] = True
    in_newer = newer[clusters]
    return np.flatnonzero(~in_newer), np.flatnonzero(in_newer)


def newer_than_later_split(
    splits: pd.DataFrame, near_copies: Rows | None = None
) -> npt.NDArray[np.bool_]:
    """Return for each row whether its cluster is newer than one of a later split, (rows,).

    Validation is later than training, and test is later than both.

    Args:
        splits: Columns group, text, date and split.
        near_copies: (rows,), numbers of the rows' near-copies if these stay together.
    """
    texts = splits if near_copies is None else splits.assign(near_copies=near_copies)
    clusters = clusters_of(texts)
    times = _newest_of(clusters, splits["date"])[clusters]
    sides = splits["split"].to_numpy()
    newer = np.zeros(len(splits), dtype=bool)
    for side, later in (("train", ("validation", "test")), ("validation", ("test",))):
        oldest = times[np.isin(sides, later)].min(initial=len(splits))
        newer |= (sides == side) & (times > oldest)
    return newer


def _newest_of(clusters: Rows, dates: pd.Series[str]) -> Rows:
    """Return the number of the newest date of each cluster; a newer date has a higher number."""
    numbers, _ = pd.factorize(dates, sort=True)
    newest = np.full(int(clusters.max(initial=-1)) + 1, -1)
    np.maximum.at(newest, clusters, numbers)
    return newest
