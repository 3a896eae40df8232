"""Reading what training reads and writes: a damaged file is one message that names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sentigate.errors import DataError
from sentigate.model.fusion import Logits
from sentigate.model.linear_model import LinearModel
from sentigate.model.model_files import ModelFileError
from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.saved_model import SavedModel

from .reading_length import Reading
from .stage_files import damaged, read_ids, read_json, read_table, reading

EPOCHS = {
    "epoch": "int64",
    "train_loss": "float64",
    "validation_loss": "float64",
    "validation_accuracy": "float64",
    "kept": "int64",
}
"""The columns of reports/training.csv."""


def read_split(folder: Path) -> EncodedSplit:
    """One padded split, memory-mapped."""
    rows = len(read_ids(folder))
    for name in ("ids", "lengths", "labels"):
        with reading(folder / f"{name}.npy"):
            array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            if len(array) != rows:
                raise ValueError(f"it has {len(array)} rows, rows.parquet {rows}")
    return load_split(folder)


def read_reading(folder: Path) -> Reading:
    """What the network reads of each text, as pad wrote it."""
    path = folder / "reading.json"
    with reading(path):
        return Reading(**read_json(path))


def read_model(folder: Path) -> SavedModel:
    """What train left in a folder."""
    try:
        return SavedModel.load(folder)
    except ModelFileError as error:
        raise damaged(error.path, error.reason) from None


def read_linear(folder: Path, tokens: Sequence[str]) -> LinearModel:
    """The linear baseline, for texts whose ids are places in ``tokens``.

    Raises:
        DataError: it is damaged, or ``tokens`` lacks a word that it knows.
    """
    try:
        return LinearModel.load(folder).renumbered(tokens)
    except ModelFileError as error:
        raise damaged(error.path, error.reason) from None
    except ValueError as error:
        raise DataError(
            f"the linear baseline cannot be fused with this model: {error}; allowed: "
            "vocab.min_count no larger than that of baseline.candidates, a larger vocab.max_size, "
            "or training.fused false"
        ) from None


def read_baseline_logits(table: Path, ids: pd.Series[str]) -> Logits:
    """The linear baseline's logits of the rows with these ids, (rows,) float32.

    Args:
        table: the baseline's predictions.
        ids: of validation or test rows.

    Raises:
        DataError: the table is damaged, or lacks a row.
    """
    logits = read_table(table, ["id", "logit"]).set_index("id")["logit"].reindex(ids)
    if logits.isna().any():
        raise damaged(table, f"it has no row {logits.index[logits.isna()][0]}")
    return logits.to_numpy(dtype=np.float32)


def read_epochs(path: Path) -> pd.DataFrame:
    """reports/training.csv: a row per epoch."""
    with reading(path):
        return pd.read_csv(path, usecols=list(EPOCHS), dtype=EPOCHS)
