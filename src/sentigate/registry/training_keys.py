"""The training texts of a model, as hashes that are packaged with the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

TRAINED_ON = "trained_on.npy"
"""Name of the file of hashes, in the folder of the model's files."""

Keys = npt.NDArray[np.uint64]


def training_keys(rows: pd.DataFrame, rule: str) -> Keys:
    """Return the training texts as 64-bit hashes: they recognise a text, but do not reveal it.

    Args:
        rows: columns id, split, group and raw (str: the text as the source has it).
        rule: rule of the split. If it is "grouped", groups are hashed, too: a text whose group is
            in the training split counts as seen.

    Returns:
        (keys,) uint64, sorted and unique.
    """
    train = rows.loc[rows["split"] == "train"]
    return np.unique(np.concatenate(_keys(train, rule)))


def unseen(rows: pd.DataFrame, rule: str, keys: Keys) -> npt.NDArray[np.bool_]:
    """Return which rows have neither their text nor their group in ``keys``.

    Args:
        rows: columns id, group and raw, as for ``training_keys``.
        rule: rule of the split.
        keys: hashes of a model's training texts.

    Returns:
        (rows,) bool.
    """
    seen = np.zeros(len(rows), dtype=bool)
    for column in _keys(rows, rule):
        seen |= np.isin(column, keys)
    return ~seen


def _keys(rows: pd.DataFrame, rule: str) -> list[Keys]:
    columns = [rows["raw"]]
    if rule == "grouped":  # a row without a group has its id there, which may be a row number
        columns.append(("group " + rows["group"]).where(rows["group"] != rows["id"], rows["raw"]))
    return [pd.util.hash_array(column.to_numpy(object), categorize=False) for column in columns]


def read_keys(files: Path) -> Keys | None:
    """Return the keys in a model's folder; None if an older version of sentigate packaged it."""
    path = files / TRAINED_ON
    return np.load(path, allow_pickle=False) if path.is_file() else None
