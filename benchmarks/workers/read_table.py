"""Read two columns of a CSV file once, and print the seconds, the rows and the peak memory.

`python read_table.py CONTENDER FILE`; each contender runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

COLUMNS = ["text", "stars"]


def ours_in_chunks(path: str) -> Callable[[], int]:
    """Read chunks of rows, each as two Arrow columns of texts."""
    from sentigate.tables.dialect import Dialect
    from sentigate.tables.reader import open_table
    from sentigate.tables.table_file import local_files

    def read() -> int:
        rows = 0
        with open_table(local_files(path), Dialect(), COLUMNS) as table:
            for chunk in table.chunks:
                for name in COLUMNS:
                    chunk.texts(name)
                rows += len(chunk)
        return rows

    return read


def ours(path: str) -> Callable[[], int]:
    """Read the table as ingest does."""
    from sentigate.tables.dialect import Dialect
    from sentigate.tables.reader import read_columns
    from sentigate.tables.table_file import local_files

    return lambda: read_columns(local_files(path), COLUMNS, Dialect()).size


def pandas(path: str) -> Callable[[], int]:
    """Read texts as they are, so "01" is no number."""
    import pandas as pd

    options: dict[str, Any] = {"usecols": COLUMNS, "keep_default_na": False, "dtype": "str"}
    return lambda: len(pd.read_csv(path, engine="c", **options))


def pandas_guessing(path: str) -> Callable[[], int]:
    """Let pandas guess a type for each column."""
    import pandas as pd

    return lambda: len(pd.read_csv(path, engine="c", usecols=COLUMNS, keep_default_na=False))


def pandas_in_chunks(path: str) -> Callable[[], int]:
    """Read texts as they are, in chunks as large as ours."""
    import pandas as pd

    def read() -> int:
        options: dict[str, Any] = {"usecols": COLUMNS, "keep_default_na": False, "dtype": "str"}
        with pd.read_csv(path, engine="c", chunksize=16_384, **options) as chunks:
            return sum(map(len, chunks))

    return read


def polars(path: str) -> Callable[[], int]:
    """Read texts as they are."""
    import polars as pl

    return lambda: len(pl.read_csv(path, columns=COLUMNS, infer_schema=False))


CONTENDERS = {each.__name__: each for each in (
    ours, ours_in_chunks, pandas, pandas_guessing, pandas_in_chunks, polars
)}  # fmt: skip


def main() -> None:
    """Import, then measure one reading."""
    read = CONTENDERS[sys.argv[1]](sys.argv[2])
    start = time.perf_counter()
    rows = read()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "rows": rows, "peak": peak}))


if __name__ == "__main__":
    main()
