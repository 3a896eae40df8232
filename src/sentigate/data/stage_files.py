"""Read the outputs of earlier stages. A damaged file gives one message that names it."""

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
    """Turn any error about a file's content into one DataError that names the file.

    Raises:
        DataError: the content is damaged.
        FileNotFoundError: the file does not exist.
        PermissionError: the file may not be read.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, SentigateError):
        raise
    except Exception as error:  # each library has its own errors; tokenizers raises Exception
        reason = " ".join(str(error).split())[:150] or type(error).__name__
        raise damaged(path, reason) from None


def damaged(path: Path, reason: str) -> DataError:
    """Return the error for a damaged file."""
    return DataError(
        f"{path} is damaged, or another version of sentigate wrote it ({reason}); "
        "`dvc repro` writes it again"
    )


def read_table(table: Table, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read columns of a Parquet file; without ``columns``, all of them, at least ``table``'s."""
    with reading(table.path):
        frame = pd.read_parquet(table.path, columns=list(columns) or None)
        if lacking := [name for name in columns or table.columns if name not in frame]:
            raise ValueError(f"it has no column {lacking[0]}")
        return frame


@contextmanager
def read_json(path: Path) -> Iterator[Any]:
    """Give the content of a JSON file; errors inside the block also name the file."""
    with reading(path):
        yield json.loads(path.read_text("utf-8"))


def read_ids(split: str) -> pd.Series[str]:
    """Read the id of each row of a padded split."""
    return read_table(padded_rows(split))["id"]
