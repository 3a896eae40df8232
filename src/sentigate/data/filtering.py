"""Turn raw rows into labelled, cleaned texts, and count the rows that each rule dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from sentigate.errors import DataError, counted, shorten
from sentigate.model.text.cleaning import make_cleaner
from sentigate.settings.dataset import CleanParams

from .corrections import Corrections, check_rows_exist

# Texts held as Python objects at one time.
CHUNK = 8192
NO_CORRECTIONS = Corrections(Path(), {})


class Cleaned(NamedTuple):
    """The result of ``label_and_clean``.

    Attributes:
        texts: the kept rows, in their old order: columns id, group, slice, fold, date (str), label
            (int8), text (str).
        taken: rule -> dropped rows, in the order of the rules; the kept rows are last, under
            "kept".
        folds: the same counts for each published fold, without the zeros.
        conflicts: columns id, label and text of the rows whose text has several labels, before
            ``clean.drop_conflicts`` drops them; rows of one text follow each other.
        relabelled: number of rows whose class is that of a correction.
    """

    texts: pd.DataFrame
    taken: dict[str, int]
    folds: dict[str, dict[str, int]]
    conflicts: pd.DataFrame
    relabelled: int


def label_and_clean(
    raw: pd.DataFrame,
    labels: Mapping[str, str | None],
    classes: Sequence[str],
    clean: CleanParams,
    corrections: Corrections = NO_CORRECTIONS,
) -> Cleaned:
    """Correct rows, keep those with a labelled sentiment, clean their texts, drop unusable rows.

    Args:
        raw: Columns id, group, slice, sentiment, text, fold, date (str), as ingest writes them.
        labels: Sentiment -> the name of its class; None: its rows are dropped.
        classes: Names of the classes; a label is the index of a name.
        clean: The cleaning steps, and which rows to drop.
        corrections: Rows to drop, and rows with another class than their sentiment's. A row whose
            sentiment is not labelled is kept if a correction gives it a class.

    Raises:
        DataError: a sentiment is not in ``labels``, or a correction has no row.
    """
    unknown = raw.loc[~raw["sentiment"].isin(list(labels))]
    if len(unknown):
        row = unknown.iloc[0]
        raise DataError(
            f"{counted(len(unknown), 'row')} with a sentiment that labels does not name; the first "
            f"has id {row['id']}: {shorten(row['sentiment'])}; allowed: {', '.join(labels)}"
        )
    cleaner = make_cleaner(clean.steps)
    check_rows_exist(corrections, raw, cleaner)
    taken: dict[str, pd.Series[str]] = {}  # rule -> the fold of each row that it dropped

    kept = raw
    published = raw["fold"].isin(list(clean.folds)) if clean.folds else raw["fold"] != ""
    # Without folds to keep, a row without a fold is dropped only beside published folds.
    if clean.folds or (published.any() and not published.all()):
        taken["fold_left_out"] = raw.loc[~published, "fold"]
        kept = raw.loc[published]
    if corrections.by_id:
        dropped = kept["id"].isin(corrections.dropped)
        taken["dropped_by_correction"] = kept.loc[dropped, "fold"]
        kept = kept.loc[~dropped]
    numbers, sentiments = pd.factorize(kept["sentiment"])
    # -1: the sentiment's rows are dropped.
    label_of = [
        -1 if (name := labels[each]) is None else classes.index(name) for each in sentiments
    ]
    label = np.array(label_of, dtype=np.int8)[numbers]
    corrected = kept["id"].map(corrections.labels).to_numpy(dtype=np.float64, na_value=np.nan)
    relabelled = ~np.isnan(corrected)
    label[relabelled] = corrected[relabelled].astype(np.int8)
    wanted = label >= 0
    taken["sentiment_left_out"] = kept.loc[~wanted, "fold"]
    kept, label = kept.loc[wanted], label[wanted]
    texts = pd.DataFrame(
        {
            "id": kept["id"],
            "group": kept["group"],
            "slice": kept["slice"],
            "fold": kept["fold"],
            "date": kept["date"],
            "label": label,
            "text": _mapped(cleaner, kept["text"]),
        }
    )

    empty = texts["text"] == ""
    taken["empty"] = texts.loc[empty, "fold"]
    texts = texts.loc[~empty]
    conflicting = text_checks(texts)["labels_of_text"] > 1
    conflicts = texts.loc[conflicting, ["id", "label", "text"]]
    numbers, _ = pd.factorize(conflicts["text"])
    conflicts = conflicts.iloc[np.argsort(numbers, kind="stable")].reset_index(drop=True)
    if clean.drop_conflicts:
        taken["several_labels"] = texts.loc[conflicting, "fold"]
        texts = texts.loc[~conflicting]
    if clean.drop_duplicates:
        duplicate = texts.duplicated(["text", "label"])
        taken["duplicate"] = texts.loc[duplicate, "fold"]
        texts = texts.loc[~duplicate]
    taken["kept"] = texts["fold"]
    by_fold = {
        fold: {rule: n for rule, folds in taken.items() if (n := int((folds == fold).sum()))}
        for fold in sorted(raw["fold"].unique())
        if fold
    }
    rows = {rule: len(folds) for rule, folds in taken.items()}
    texts = texts.reset_index(drop=True)
    return Cleaned(texts, rows, by_fold, conflicts, int(relabelled.sum()))


def text_checks(texts: pd.DataFrame) -> pd.DataFrame:
    """Compute the columns that the gate checks, one row for each text.

    Args:
        texts: Columns text (str) and label (int8).

    Returns:
        Columns characters, rows_of_text (rows with the same text) and labels_of_text (number of
        different labels of these rows), int.
    """
    # Numbers instead of texts: groupby would sort the texts, which is slow for a million.
    numbers, _ = pd.factorize(texts["text"])
    rows = np.bincount(numbers)
    labels = texts["label"].to_numpy(dtype=np.int64)
    several = labels.max(initial=0) + 1
    pairs = np.unique(numbers * several + labels)  # each text once for each of its labels
    return pd.DataFrame(
        {
            "characters": texts["text"].str.len(),
            "rows_of_text": rows[numbers],
            "labels_of_text": np.bincount(pairs // several)[numbers],
        },
        index=texts.index,
    )


def class_checks(texts: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Compute the columns that the gate checks about classes, one row for each text.

    Args:
        texts: Column label (int8).
        classes: Names of the classes; a label is the index of a name.

    Returns:
        Columns class (name, str) and class_share (share of all rows that have the row's label).
    """
    labels = texts["label"].to_numpy()
    shares = np.bincount(labels, minlength=len(classes)) / max(len(labels), 1)
    names = pd.Series(pd.array(classes, dtype="str").take(labels), index=texts.index)
    return pd.DataFrame({"class": names, "class_share": shares[labels]}, index=texts.index)


def _mapped(function: Callable[[str], str], texts: pd.Series[str]) -> pd.Series[str]:
    """Apply ``function`` to each text, chunk by chunk, from one Arrow column to another."""

    def chunks() -> Iterator[pa.Array]:
        yield pa.array([], pa.large_string())
        for start in range(0, len(texts), CHUNK):
            chunk = texts.iloc[start : start + CHUNK].tolist()
            yield pa.array(list(map(function, chunk)), pa.large_string())

    return pd.Series(pa.concat_arrays(list(chunks())), index=texts.index, dtype="str")
