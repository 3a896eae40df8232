"""Which rows belong together in cross-validation."""

from __future__ import annotations

import pandas as pd


def fold_groups(rows: pd.DataFrame, rule: str) -> pd.Series[str]:
    """What the folds of the n-gram part keep together: what the split keeps on one side.

    Args:
        rows: columns id and group (str).
        rule: of the split.

    Returns:
        The rows' groups; or, where the split does not look at those, each row's own id.
    """
    return rows["id" if rule == "random" else "group"]
