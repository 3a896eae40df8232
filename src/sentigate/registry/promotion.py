"""Which of two models is better, by a paired test on texts that neither was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.labels import log_losses

TRAINED_ON = "trained_on.npy"
"""Travels with a model: what ``training_keys`` gave."""

Keys = npt.NDArray[np.uint64]
Probabilities = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def training_keys(rows: pd.DataFrame, rule: str) -> Keys:
    """What a model was trained on, as 64-bit hashes: enough to recognise it, not to read it.

    Args:
        rows: columns id, split, group and raw (str: the text as the source has it).
        rule: of the split. Where it keeps groups together, so does this: a text whose group was
            in training is as good as seen.

    Returns:
        (keys,) uint64, sorted, each once.
    """
    train = rows.loc[rows["split"] == "train"]
    return np.unique(np.concatenate(_keys(train, rule)))


def unseen(rows: pd.DataFrame, rule: str, keys: Keys) -> npt.NDArray[np.bool_]:
    """Which rows (columns as above) neither by text nor by group are among ``keys``."""
    seen = np.zeros(len(rows), dtype=bool)
    for column in _keys(rows, rule):
        seen |= np.isin(column, keys)
    return ~seen


def _keys(rows: pd.DataFrame, rule: str) -> list[Keys]:
    columns = [rows["raw"]]
    if rule == "grouped":  # where no group is told it is the id, perhaps a mere row number
        columns.append(("group " + rows["group"]).where(rows["group"] != rows["id"], rows["raw"]))
    return [pd.util.hash_array(column.to_numpy(object), categorize=False) for column in columns]


class Verdict(NamedTuple):
    """Whether a newcomer is better than the champion, and the sentence that says why."""

    better: bool
    reason: str


class Standing(NamedTuple):
    """How a model stands beside the linear baseline on validation texts.

    Attributes:
        worse: whether its answers are worse, by more than chance.
        network_worse: whether those of its network alone are.
        sentence: says so, with figures.
    """

    worse: bool
    network_worse: bool
    sentence: str


def judge(
    newcomer: Probabilities,
    champion: Probabilities,
    rows: pd.DataFrame,
    *,
    version: str,
    level: float,
) -> Verdict:
    """Compare two models by log loss on the same texts.

    The test is a one-sided paired t-test (Student 1908) on the texts' log losses: both models
    answer each text, so that what makes a text hard falls out of the comparison.

    Args:
        newcomer: from raw texts to P(positive), (texts,) float32.
        champion: the same.
        rows: validation texts that neither was trained on: columns raw (str) and label (0 or 1).
        version: the champion's, for the sentence.
        level: the newcomer is better where the test's p is below it.
    """
    from scipy.stats import ttest_rel

    if len(rows) < 2:
        return Verdict(False, f"version {version} was trained on every validation text but "
                       f"{len(rows)}: there is nothing to compare on")  # fmt: skip
    texts, labels = rows["raw"].tolist(), rows["label"].to_numpy()
    mine, theirs = (log_losses(labels, model(texts)) for model in (newcomer, champion))
    same = np.array_equal(mine, theirs)
    with warnings.catch_warnings():
        # One that knows no word of these texts answers all alike, and so may differ all alike.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        p = 1.0 if same else float(ttest_rel(mine, theirs, alternative="less").pvalue)
    better = p < level
    return Verdict(
        better,
        f"validation log loss {mine.mean():.4f} against version {version}'s {theirs.mean():.4f} "
        f"on {len(rows):,} texts that neither was trained on (paired t-test, p = {p:.2g}, "
        f"{'below' if better else 'not below'} {level:g})",
    )


def read_keys(files: Path) -> Keys | None:
    """What a model's folder says it was trained on; None where an older version packaged it."""
    path = files / TRAINED_ON
    return np.load(path, allow_pickle=False) if path.is_file() else None
