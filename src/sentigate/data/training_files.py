"""Read the inputs and outputs of training. A damaged file gives one message that names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sentigate import artifacts
from sentigate.errors import DataError
from sentigate.model.answers import Logits, table_columns
from sentigate.model.linear_model import LinearModel
from sentigate.model.model_files import ModelFileError
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.saved_model import SavedModel

from .reading_length import Reading
from .stage_files import damaged, read_ids, read_json, read_table, reading


def read_split(name: str) -> EncodedSplit:
    """Read one padded split, memory-mapped."""
    folder, rows = artifacts.PADDED / name, len(read_ids(name))
    for kind in ("ids", "lengths", "labels"):
        path = folder / f"{kind}.npy"
        with reading(path):
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if len(array) != rows:
                raise ValueError(f"it has {len(array)} rows, rows.parquet has {rows}")
    return load_split(folder)


def read_reading() -> Reading:
    """Read which tokens of a text the network reads, as pad wrote it."""
    with read_json(artifacts.READING) as content:
        return Reading(**content)


def read_model() -> SavedModel:
    """Load the model that train wrote."""
    try:
        return SavedModel.load(artifacts.TRAINED_MODEL)
    except ModelFileError as error:
        raise damaged(error.path, error.reason) from None


def read_linear(tokens: Sequence[str]) -> LinearModel:
    """Load the linear baseline, renumbered for texts whose ids are indexes into ``tokens``.

    Raises:
        DataError: the model is damaged, or ``tokens`` lacks one of its words.
    """
    try:
        return LinearModel.load(artifacts.LINEAR_MODEL).renumbered(tokens)
    except ModelFileError as error:
        raise damaged(error.path, error.reason) from None
    except ValueError as error:
        raise DataError(
            f"the linear baseline cannot be fused with this model: {error}; allowed: "
            "vocab.min_count no larger than that of baseline.candidates, a larger vocab.max_size, "
            "or training.fused false"
        ) from None


def read_baseline_logits(ids: pd.Series[str]) -> Logits:
    """Read the linear baseline's logits of the rows with these ids, (rows, S) float32.

    Args:
        ids: Ids of validation or test rows.

    Raises:
        DataError: the table is damaged or lacks a row.
    """
    path = artifacts.BASELINE_PREDICTIONS.path
    rows = read_table(artifacts.BASELINE_PREDICTIONS).set_index("id")
    with reading(path):
        logits = table_columns(rows.reindex(ids), "logit")
    missing = np.isnan(logits).any(axis=1)
    if missing.any():
        raise damaged(path, f"it has no row {ids.to_numpy()[missing][0]}")
    return logits


def read_epochs(path: Path = artifacts.EPOCHS.path) -> pd.DataFrame:
    """Read the table of epochs, with the columns of ``artifacts.EPOCHS``."""
    columns = dict(artifacts.EPOCHS.columns)
    with reading(path):
        return pd.read_csv(path, usecols=list(columns), dtype=columns)
