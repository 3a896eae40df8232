"""The columns that every source gives."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

COLUMNS = ("id", "group", "slice", "sentiment", "text", "fold")


def frame_of(rows: Sequence[tuple[str, str, str, str, str, str]]) -> pd.DataFrame:
    """A frame of ``rows``, whose values are in the order of COLUMNS; every column is str."""
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
