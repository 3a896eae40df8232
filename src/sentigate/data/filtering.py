"""From raw rows to labelled, cleaned texts, and how many rows each rule took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.errors import DataError, counted, shorten
from sentigate.model.text.cleaning import make_cleaner
from sentigate.settings.dataset import CleanParams

# Texts that are Python objects at a time.
CHUNK = 8192


def label_and_clean(
    raw: pd.DataFrame, labels: Mapping[str, int | None], clean: CleanParams
) -> tuple[pd.DataFrame, dict[str, int], dict[str, dict[str, int]]]:
    """Keep the labelled sentiments, clean their texts, drop what cannot be learned from.

    Args:
        raw: columns id, group, slice, sentiment, text, fold (str), as ingest writes them.
        labels: sentiment -> 1 positive, 0 negative, None left out.
        clean: the cleaning steps, and which rows to drop.

    Returns:
        Columns id, group, slice, fold (str), label (int8), text (str), rows in their old order;
        rule -> rows it took, in the order the rules were applied, "kept" last; and the same, less
        the rules that took none, for each fold that was published.

    Raises:
        DataError: a sentiment is not in ``labels``.
    """
    unknown = raw.loc[~raw["sentiment"].isin(list(labels))]
    if len(unknown):
        row = unknown.iloc[0]
        raise DataError(
            f"{counted(len(unknown), 'row')} with a sentiment that labels does not name, first id "
            f"{row['id']}: {shorten(row['sentiment'])}; allowed: {', '.join(labels)}"
        )
    taken: dict[str, pd.Series[str]] = {}  # the fold of each row that a rule took

    kept = raw
    if clean.folds is not None:
        published = raw["fold"].isin(list(clean.folds))
        taken["fold_left_out"] = raw.loc[~published, "fold"]
        kept = raw.loc[published]
    wanted = kept["sentiment"].isin([name for name, label in labels.items() if label is not None])
    taken["sentiment_left_out"] = kept.loc[~wanted, "fold"]
    kept = kept.loc[wanted]
    positive = [name for name, label in labels.items() if label == 1]
    texts = pd.DataFrame(
        {
            "id": kept["id"],
            "group": kept["group"],
            "slice": kept["slice"],
            "fold": kept["fold"],
            "label": kept["sentiment"].isin(positive).astype("int8"),
            "text": _mapped(make_cleaner(clean.steps), kept["text"]),
        }
    )

    empty = texts["text"] == ""
    taken["empty"] = texts.loc[empty, "fold"]
    texts = texts.loc[~empty]
    if clean.drop_conflicts:
        conflicting = text_checks(texts)["labels_of_text"] > 1
        taken["both_labels"] = texts.loc[conflicting, "fold"]
        texts = texts.loc[~conflicting]
    if clean.drop_duplicates:
        duplicate = texts.duplicated(["text", "label"])
        taken["duplicate"] = texts.loc[duplicate, "fold"]
        texts = texts.loc[~duplicate]
    taken["kept"] = texts["fold"]
    by_fold = {
        fold: {rule: n for rule, of in taken.items() if (n := int((of == fold).sum()))}
        for fold in sorted(raw["fold"].unique())
        if fold
    }
    rows = {rule: len(of) for rule, of in taken.items()}
    return texts.reset_index(drop=True), rows, by_fold


def text_checks(texts: pd.DataFrame) -> pd.DataFrame:
    """What the gate looks at in every text.

    Args:
        texts: columns text (str) and label (0 or 1).

    Returns:
        Columns characters, rows_of_text (rows with this very text) and labels_of_text (how many
        labels they have), int.
    """
    # Numbers for texts: pandas would sort the texts to group by them, which a million feel.
    numbers, _ = pd.factorize(texts["text"])
    rows = np.bincount(numbers)
    positives = np.bincount(numbers, weights=texts["label"])
    both = (positives > 0) & (positives < rows)
    return pd.DataFrame(
        {
            "characters": texts["text"].str.len(),
            "rows_of_text": rows[numbers],
            "labels_of_text": np.where(both, 2, 1)[numbers],
        },
        index=texts.index,
    )


def _mapped(function: Callable[[str], str], texts: pd.Series[str]) -> pd.Series[str]:
    """``function`` of each text, a chunk at a time between one Arrow column and the other."""

    def chunks() -> Iterator[pa.Array]:
        yield pa.array([], pa.large_string())
        for start in range(0, len(texts), CHUNK):
            chunk = texts.iloc[start : start + CHUNK].tolist()
            yield pa.array(list(map(function, chunk)), pa.large_string())

    return pd.Series(pa.concat_arrays(list(chunks())), index=texts.index, dtype="str")
