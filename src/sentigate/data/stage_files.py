"""Reading what earlier stages wrote: a damaged file is one message that names it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from sentigate.artifacts import Table, padded_rows
from sentigate.errors import DataError, SentigateError

SPLITS = ("train", "validation", "test")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises over a file's content into one message.

    Raises:
        DataError: names ``path``. A file that is missing stays a FileNotFoundError.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, SentigateError):
        raise
    except Exception as error:  # each format's library has its own; tokenizers a bare Exception
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise damaged(path, reason) from None


def damaged(path: Path, reason: str) -> DataError:
    """The error that says so of a file, and what to do."""
    return DataError(
        f"{path} is damaged, or another version of sentigate wrote it ({reason}); "
        "`dvc repro` makes it anew"
    )


def read_table(table: Table, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Columns of a Parquet file, by default all that it has."""
    with reading(table.path):
        return pd.read_parquet(table.path, columns=list(columns or table.columns))


@contextmanager
def read_json(path: Path) -> Iterator[Any]:
    """The content of a JSON file; while it is looked into, ``reading`` names the file."""
    with reading(path):
        yield json.loads(path.read_text("utf-8"))


def read_ids(split: str) -> pd.Series[str]:
    """The id of each row of a padded split."""
    return read_table(padded_rows(split))["id"]
