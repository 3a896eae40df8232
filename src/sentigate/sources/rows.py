"""The frame that every source returns."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sentigate.artifacts import RAW_TEXTS


def frame_of(rows: Sequence[tuple[str, str, str, str, str, str]]) -> pd.DataFrame:
    """Make a frame of ``rows``, whose values are in the order of RAW_TEXTS; all columns are str.

    The rows have no date, which is "".
    """
    *columns, date = RAW_TEXTS.columns
    return pd.DataFrame(rows, columns=columns, dtype="str").assign(
        **{date: pd.Series("", index=range(len(rows)), dtype="str")}
    )
