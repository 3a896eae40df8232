"""Clusters: rows that may not be parted, because they share a group, a text or a near-copy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Rows = npt.NDArray[np.int64]


def clusters_of(texts: pd.DataFrame) -> Rows:
    """Number the clusters: rows joined by a chain of shared values have the same number.

    Args:
        texts: Columns group and text, and optionally near_copies.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    groups, group_names = pd.factorize(texts["group"])
    nodes = len(group_names)
    others = []
    for name in ("text", "near_copies"):
        if name in texts:
            values, names = pd.factorize(texts[name])
            others.append(values + nodes)
            nodes += len(names)
    ends = np.tile(groups, len(others)), np.concatenate(others)
    edges = coo_matrix((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(nodes, nodes))
    _, component = connected_components(edges, directed=False)
    clusters: Rows = component[groups].astype(np.int64)
    return clusters
