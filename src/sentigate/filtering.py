"""From raw rows to labelled, cleaned texts, and how many rows each rule took."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from .cleaning import make_cleaner
from .cleaning_steps import CleaningSteps
from .errors import DataError, shorten


def label_and_clean(
    raw: pd.DataFrame,
    labels: Mapping[str, int | None],
    steps: CleaningSteps,
    *,
    folds: Collection[str] | None,
    drop_duplicates: bool,
    drop_conflicts: bool,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep the labelled sentiments, clean their texts, drop what cannot be learned from.

    Args:
        raw: columns id, group, slice, sentiment, text, fold (str), as ingest writes them.
        labels: sentiment -> 1 positive, 0 negative, None left out.
        steps: cleaning steps.
        folds: published folds kept; None keeps all rows.
        drop_duplicates: keep the first of the rows with one text and one label.
        drop_conflicts: drop every row whose text occurs with both labels.

    Returns:
        Columns id, group, slice, fold (str), label (int8), text (str), rows in their old order;
        and rule -> rows it took, in the order the rules were applied, "kept" last.

    Raises:
        DataError: a sentiment is not in ``labels``.
    """
    unknown = raw.loc[~raw["sentiment"].isin(list(labels))]
    if len(unknown):
        row = unknown.iloc[0]
        raise DataError(
            f"{len(unknown)} rows have a sentiment that labels does not name, first id "
            f"{row['id']}: {shorten(row['sentiment'])}; allowed: {', '.join(labels)}"
        )
    taken: dict[str, int] = {}

    kept = raw
    if folds is not None:
        kept = raw.loc[raw["fold"].isin(list(folds))]
        taken["fold_left_out"] = len(raw) - len(kept)
    wanted = kept["sentiment"].isin([name for name, label in labels.items() if label is not None])
    taken["sentiment_left_out"] = int((~wanted).sum())
    kept = kept.loc[wanted]
    cleaner = make_cleaner(steps)
    texts = pd.DataFrame(
        {
            "id": kept["id"],
            "group": kept["group"],
            "slice": kept["slice"],
            "fold": kept["fold"],
            "label": kept["sentiment"].map(dict(labels)).astype("int8"),
            "text": pd.Series(map(cleaner, kept["text"]), index=kept.index, dtype="str"),
        }
    )

    empty = texts["text"] == ""
    taken["empty"] = int(empty.sum())
    texts = texts.loc[~empty]
    if drop_conflicts:
        conflicting = texts.groupby("text")["label"].transform("nunique") > 1
        taken["both_labels"] = int(conflicting.sum())
        texts = texts.loc[~conflicting]
    if drop_duplicates:
        duplicate = texts.duplicated(["text", "label"])
        taken["duplicate"] = int(duplicate.sum())
        texts = texts.loc[~duplicate]
    taken["kept"] = len(texts)
    return texts.reset_index(drop=True), taken
