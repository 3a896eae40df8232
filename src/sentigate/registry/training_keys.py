"""The training texts of a model, as hashes that travel with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

TRAINED_ON = "trained_on.npy"
"""Name of the file, beside the files of the model."""

Keys = npt.NDArray[np.uint64]


def training_keys(rows: pd.DataFrame, rule: str) -> Keys:
    """The training texts as 64-bit hashes, by which a text is recognised but cannot be read.

    Args:
        rows: columns id, split, group and raw (str: the text as the source has it).
        rule: rule of the split. Where it keeps groups together, groups are hashed too: a text
            whose group was in training counts as seen.

    Returns:
        (keys,) uint64, sorted, each once.
    """
    train = rows.loc[rows["split"] == "train"]
    return np.unique(np.concatenate(_keys(train, rule)))


def unseen(rows: pd.DataFrame, rule: str, keys: Keys) -> npt.NDArray[np.bool_]:
    """Which rows, with columns as above, have neither text nor group in ``keys``; (rows,)."""
    seen = np.zeros(len(rows), dtype=bool)
    for column in _keys(rows, rule):
        seen |= np.isin(column, keys)
    return ~seen


def _keys(rows: pd.DataFrame, rule: str) -> list[Keys]:
    columns = [rows["raw"]]
    if rule == "grouped":  # without a group its value is the id, perhaps a row number
        columns.append(("group " + rows["group"]).where(rows["group"] != rows["id"], rows["raw"]))
    return [pd.util.hash_array(column.to_numpy(object), categorize=False) for column in columns]


def read_keys(files: Path) -> Keys | None:
    """The keys in a model's folder; None where an older version of sentigate packaged it."""
    path = files / TRAINED_ON
    return np.load(path, allow_pickle=False) if path.is_file() else None
