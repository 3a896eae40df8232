"""Deal clusters of rows to folds, so that each fold has about the same share of each class.

scikit-learn's StratifiedGroupKFold does the same, but takes seconds for ten thousand groups, and
refuses a class or a table with fewer groups than folds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def stratified_folds(labels: npt.NDArray[Any], clusters: Rows, folds: int, seed: int) -> Rows:
    """Return the fold of each row, (rows,), 0 to ``folds`` - 1. A cluster is in one fold.

    The largest clusters come first, equal ones in random order. Each goes to the fold with the
    fewest rows of the rarest class that the cluster has, and among equal folds to the smallest.

    Args:
        labels: (rows,) class of each row, 0 or more.
        clusters: (rows,) number of each row's cluster, 0 or more.
        folds: number of folds; with fewer clusters, some folds are empty.
        seed: seed of the order of equal clusters.
    """
    count, several = int(clusters.max(initial=-1)) + 1, int(labels.max(initial=0)) + 1
    key = clusters * several + labels
    rows = np.bincount(key, minlength=count * several).reshape(count, several)
    by_rarity = np.argsort(rows.sum(axis=0), kind="stable")
    rarest = by_rarity[(rows[:, by_rarity] > 0).argmax(axis=1)]
    shuffled = np.random.default_rng(seed).permutation(count)
    order = shuffled[np.argsort(-rows.sum(axis=1)[shuffled], kind="stable")]
    fold_of = np.zeros(count, dtype=np.int64)
    held = [[0] * folds for _ in range(several)]
    sizes = [0] * folds
    # Plain numbers of Python are faster than numpy's in this loop over the clusters.
    for cluster, label, parts in zip(
        order.tolist(), rarest[order].tolist(), rows[order].tolist(), strict=True
    ):
        of_label = held[label]
        fold = min(range(folds), key=lambda each: (of_label[each], sizes[each]))
        fold_of[cluster] = fold
        for each, number in enumerate(parts):
            if number:
                held[each][fold] += number
        sizes[fold] += sum(parts)
    return fold_of[clusters]
