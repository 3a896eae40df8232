"""Reading what training reads and writes: a damaged file is one message that names it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sentigate.model.network.batches import EncodedSplit, load_split
from sentigate.model.saved_model import ModelFileError, SavedModel

from .stage_files import damaged, read_ids, reading

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


def read_model(folder: Path) -> SavedModel:
    """What train left in a folder."""
    try:
        return SavedModel.load(folder)
    except ModelFileError as error:
        raise damaged(error.path, error.reason) from None


def read_epochs(path: Path) -> pd.DataFrame:
    """reports/training.csv: a row per epoch."""
    with reading(path):
        return pd.read_csv(path, usecols=list(EPOCHS), dtype=EPOCHS)
