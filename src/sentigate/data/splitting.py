"""Split rows into train, validation and test, and measure the leakage between the splits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import add, le
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.errors import DataError, counted, shorten
from sentigate.settings.dataset import SplitParams

from .by_time import newer_than_later_split, refuse_rows_without_date, split_by_time
from .clusters import Rows, clusters_of
from .stage_files import SPLITS

RULES = {
    "fold_left_out": "of a fold that is not kept (clean.folds, or null in source.folds)",
    "dropped_by_correction": "that corrections.csv drops",
    "sentiment_left_out": "with a sentiment that has no label (labels)",
    "empty": "with an empty text",
    "several_labels": "with a text that has several labels (clean.drop_conflicts)",
    "duplicate": "that repeat an earlier row (clean.drop_duplicates)",
}
"""Rule of ``label_and_clean`` -> which rows it drops, for messages."""


def split_rows(
    texts: pd.DataFrame,
    classes: Sequence[str],
    split: SplitParams,
    seed: int,
    *,
    near_copies: Rows | None = None,
    cleaned: Mapping[str, Mapping[str, int]] | None = None,
) -> pd.DataFrame:
    """Return ``texts`` with a column ``split``: train, validation or test.

    Rule ``random`` assigns single rows. ``grouped`` assigns whole clusters, so that no group and no
    identical text is in two splits. ``by_time`` makes the newest clusters the test split.
    ``published`` takes the test split from the folds; without a fold ``test``, ``validation`` is
    it. Validation is ``validation_size`` of the remaining rows, chosen by the same rule (with
    ``published``, at random); with ``published`` and no ``validation_size``, it is the published
    fold.

    Args:
        texts: Columns id, group, fold, date, text (str) and label (int8).
        classes: Names of the classes, for messages; a label is the index of a name.
        split: The rule and the sizes. With ``stratify``, each split has about the same share of
            each class.
        seed: Seed for shuffling.
        near_copies: (rows,), as ``near_copy_clusters`` returns it. With ``grouped`` and
            ``by_time``, rows with the same number stay together too.
        cleaned: Published fold -> rule of ``label_and_clean`` -> number of rows, for the message
            when a fold is missing.

    Raises:
        DataError: there are too few rows, groups, dates or folds to make the splits, or near-copies
            join more rows than the test split may hold.
    """
    columns = texts[["group", "label", "text", "date"]]
    if split.rule == "by_time":
        refuse_rows_without_date(texts)
    sides = np.full(len(texts), SPLITS.index("train"))
    if split.test_size is None:  # the rule is published
        train, test, published = _published(texts, split, cleaned or {})
        sides[published] = SPLITS.index("validation")
    else:
        if near_copies is not None:
            columns = columns.assign(near_copies=near_copies)
            _refuse_large_cluster(columns, split.test_size)
        train, test = _split_in_two(columns, classes, split, split.test_size, seed, "test")
    sides[test] = SPLITS.index("test")
    if split.validation_size:
        rest = columns.iloc[train]
        _, validation = _split_in_two(
            rest, classes, split, split.validation_size, seed, "validation"
        )
        sides[train[validation]] = SPLITS.index("validation")
    return texts.assign(split=pd.array(SPLITS, dtype="str").take(sides))


def leakage(splits: pd.DataFrame) -> dict[str, float]:
    """Measure which share of test rows has its group or its text in training or validation too.

    Args:
        splits: Columns group, text and split.

    Returns:
        Keys ``group`` and ``text``, values in [0, 1].
    """
    in_test = (splits["split"] == "test").to_numpy()
    shares = {}
    for key in ("group", "text"):
        numbers, names = pd.factorize(splits[key])
        seen = np.zeros(len(names), dtype=bool)
        seen[numbers[~in_test]] = True
        shares[key] = float(pd.Series(seen[numbers[in_test]]).mean())
    return shares


def _published(
    texts: pd.DataFrame, split: SplitParams, cleaned: Mapping[str, Mapping[str, int]]
) -> tuple[Rows, Rows, Rows]:
    """Return the row numbers of training, of test, and of the validation fold if it is used."""
    in_train, in_validation, in_test = (
        (texts["fold"] == fold).to_numpy() for fold in ("train", "validation", "test")
    )
    if not in_test.any():
        in_test, in_validation = in_validation, in_test
    if not in_train.any() or not in_test.any() or not (in_train | in_validation | in_test).all():
        found = ", ".join(repr(fold) for fold in sorted(texts["fold"].unique()))
        raise DataError(
            f"rule published needs rows of fold train and of fold test, and of no other fold than "
            f"validation; the data has {found}. {_dropped_folds(cleaned)}Choose rule random or "
            "grouped."
        )
    if split.validation_size is None and not in_validation.any():
        raise DataError(
            "split has no validation_size, and the data has no published validation fold beside "
            f"test. {_dropped_folds(cleaned)}Write this in the data set's file under split, "
            "for a part of the training fold, chosen at random:\n  validation_size: 0.1"
        )
    if split.validation_size is not None and in_validation.any():
        raise DataError(
            f"split.validation_size is {split.validation_size:g}, and the data has a published "
            f"validation fold of {counted(int(in_validation.sum()), 'row')}. To use the fold, "
            "remove validation_size; to leave its rows out, write this in the data set's file "
            "under clean:\n  folds: [train, test]"
        )
    return np.flatnonzero(in_train), np.flatnonzero(in_test), np.flatnonzero(in_validation)


def _dropped_folds(cleaned: Mapping[str, Mapping[str, int]]) -> str:
    """Return a sentence for each fold of which cleaning kept no row."""
    sentences = ""
    for fold, taken in cleaned.items():
        if "kept" not in taken:
            rules = ", ".join(f"{rows:,} {RULES[rule]}" for rule, rows in taken.items())
            rows = counted(sum(taken.values()), "row")
            sentences += f"Cleaning dropped all {rows} of fold {fold!r}: {rules}. "
    return sentences


def _split_in_two(
    texts: pd.DataFrame,
    classes: Sequence[str],
    split: SplitParams,
    size: float,
    seed: int,
    part: str,
) -> tuple[Rows, Rows]:
    """Return the row numbers of the larger side, and of the smaller, which becomes ``part``."""
    split_by_rule = {"grouped": _split_grouped, "by_time": _split_by_time}.get(
        split.rule, _split_random
    )
    try:
        large, small = _with_all_classes(split_by_rule, texts, classes, split, size, seed)
    except ValueError as error:  # it names the class or the side that is too small
        grouping_fails = split_by_rule is not _split_random and _can_split_at_random(
            texts, classes, split, size
        )
        reason = _shared_values(texts) if grouping_fails else ""
        raise DataError(
            f"cannot split {counted(len(texts), 'row')} into training and {part}: {error}{reason}"
        ) from None
    return large, small


def _with_all_classes(
    split_by_rule: Callable[[pd.DataFrame, float, bool, int], tuple[Rows, Rows]],
    texts: pd.DataFrame,
    classes: Sequence[str],
    split: SplitParams,
    size: float,
    seed: int,
) -> tuple[Rows, Rows]:
    """Split by the rule; with ``stratify``, refuse sides without a row of some class."""
    labels = texts["label"].to_numpy()
    rows = np.bincount(labels, minlength=len(classes))

    def refuse(few: npt.NDArray[np.bool_]) -> None:
        if split.stratify and few.any():
            label = int(few.argmax())
            raise ValueError(
                f"class {classes[label]!r} has too few rows to be on both sides "
                f"({rows[label]:,} of {len(labels):,})"
            )

    refuse(rows == 1)  # scikit-learn's message would show the label's number
    large, small = split_by_rule(texts, size, split.stratify, seed)
    in_small = np.bincount(labels[small], minlength=len(classes))
    refuse((rows > 0) & ((in_small == 0) | (in_small == rows)))
    return large, small


def _can_split_at_random(
    texts: pd.DataFrame, classes: Sequence[str], split: SplitParams, size: float
) -> bool:
    """Return whether a random split is possible, so that the groups are the problem."""
    try:
        _with_all_classes(_split_random, texts, classes, split, size, 0)
    except ValueError:
        return False
    return True


def _shared_values(texts: pd.DataFrame) -> str:
    """Return the end of a message: the group and the text that join the most rows."""
    ties = []
    for column, sentence in (
        ("group", "the group {} holds {} of them"),
        ("text", "the text {} is in {} of them"),
    ):
        counts = texts[column].value_counts()
        if counts.max() > 1:
            ties.append(sentence.format(shorten(counts.index[0]), f"{counts.iloc[0]:,}"))
    return f"; {' and '.join(ties)}; allowed: smaller groups, or rule random" if ties else ""


def _split_random(texts: pd.DataFrame, size: float, stratify: bool, seed: int) -> tuple[Rows, Rows]:
    from sklearn.model_selection import train_test_split

    large, small = train_test_split(
        np.arange(len(texts)),
        test_size=size,
        random_state=seed,
        stratify=texts["label"].to_numpy() if stratify else None,
    )
    return large, small


def _split_grouped(
    texts: pd.DataFrame, size: float, stratify: bool, seed: int
) -> tuple[Rows, Rows]:
    from sklearn.model_selection import GroupShuffleSplit

    clusters = clusters_of(texts)
    if not stratify:
        chooser = GroupShuffleSplit(1, test_size=size, random_state=seed)
        large, small = next(chooser.split(clusters, groups=clusters))
        return large, small
    return _split_clusters(clusters, texts["label"].to_numpy(), size, seed)


def _split_by_time(
    texts: pd.DataFrame, size: float, stratify: bool, seed: int
) -> tuple[Rows, Rows]:
    del stratify  # SplitParams refuses it with this rule
    return split_by_time(texts, size, seed)


def _refuse_large_cluster(texts: pd.DataFrame, test_size: float) -> None:
    """Refuse near-copies that join more rows than the test split, where groups alone do not."""
    largest, without = (
        int(np.bincount(clusters_of(table), minlength=1).max())
        for table in (texts, texts.drop(columns="near_copies"))
    )
    if largest > max(without, test_size * len(texts)):
        raise DataError(
            f"cannot split {counted(len(texts), 'row')}: near-copies join {largest:,} of them, "
            f"more than the test split may have ({100 * test_size:.3g}%); "
            "allowed: near_duplicates allow, or texts that differ more"
        )


def _split_clusters(
    clusters: Rows, labels: npt.NDArray[np.int8], size: float, seed: int
) -> tuple[Rows, Rows]:
    """Fill the small side with shuffled clusters; skip a cluster if a class would exceed its share.

    scikit-learn's StratifiedGroupKFold only makes sides of 1/k; this function takes any share.
    """
    count = int(clusters.max(initial=-1)) + 1
    if count == 0:
        raise ValueError("there are no rows")
    if count == 1:
        raise ValueError("all rows are in one cluster")
    rows = [np.bincount(clusters[labels == label], minlength=count) for label in np.unique(labels)]
    most = [float(each.sum() * size + 0.5) for each in rows]
    order = np.random.default_rng(seed).permutation(count)
    chosen = np.zeros(count, dtype=bool)
    taken = [0] * len(rows)
    # Plain numbers of Python are faster than numpy's in this loop over the clusters.
    for cluster, *new in zip(order.tolist(), *(each[order].tolist() for each in rows), strict=True):
        after = list(map(add, taken, new))
        if all(map(le, after, most)):
            taken = after
            chosen[cluster] = True
    small = chosen[clusters]
    if not small.any():
        raise ValueError(f"no cluster of rows is small enough for a side of {100 * size:.3g}%")
    return np.flatnonzero(~small), np.flatnonzero(small)


def split_summary(splits: pd.DataFrame, classes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return ``rows`` and ``classes`` (name -> share of the rows) for each split that has rows.

    If rows have dates, ``oldest`` and ``newest`` are the dates of the oldest and the newest.
    """
    summary = {}
    for name in SPLITS:
        rows = splits.loc[splits["split"] == name]
        labels, dates = rows["label"], rows.loc[rows["date"] != "", "date"]
        if len(labels):
            shares = np.bincount(labels, minlength=len(classes)) / len(labels)
            named = zip(classes, shares.tolist(), strict=True)
            summary[name] = {
                "rows": len(labels),
                "classes": {each: round(share, 6) for each, share in named},
            }
        if len(dates):
            summary[name] |= {"oldest": dates.min(), "newest": dates.max()}
    return summary


def split_checks(
    splits: pd.DataFrame, split: SplitParams, near_copies: Rows | None = None
) -> pd.DataFrame:
    """Add the columns that the gate checks to ``splits``.

    They are splits_of_group and splits_of_text (number of splits that have the row's group, or its
    text), size_difference (its split's share of all rows minus the requested share),
    balance_difference (largest difference between a class's share of its split and of all rows),
    missing_classes (number of the classes that its split has no row of) and, for the rule by_time,
    newer_than_later_split (1 if the row's cluster is newer than one of a later split, or else 0).

    Args:
        splits: Columns group, text, date, label and split.
        split: The rule and the sizes.
        near_copies: As in ``split_rows``.
    """
    share = splits["split"].value_counts(normalize=True)
    test = float(share.get("test", 0.0)) if split.test_size is None else split.test_size
    validation = (
        float(share.get("validation", 0.0))
        if split.validation_size is None
        else (1 - test) * split.validation_size
    )
    wanted = {"train": 1 - test - validation, "validation": validation, "test": test}
    sides, names = pd.factorize(splits["split"])
    labels, count = splits["label"].to_numpy(dtype=np.int64), int(splits["label"].max()) + 1
    rows = np.bincount(sides * count + labels, minlength=len(names) * count).reshape(-1, count)
    in_all = rows.sum(axis=0)
    balance = np.abs(rows / rows.sum(axis=1, keepdims=True) - in_all / in_all.sum()).max(axis=1)
    missing = ((rows == 0) & (in_all > 0)).sum(axis=1)
    newer = np.zeros(len(splits), dtype=bool)
    if split.rule == "by_time":
        newer = newer_than_later_split(splits, near_copies)
    return splits.assign(
        splits_of_group=_sides_of_value(splits["group"], sides, len(names)),
        splits_of_text=_sides_of_value(splits["text"], sides, len(names)),
        size_difference=(share - pd.Series(wanted)).reindex(names).to_numpy()[sides],
        balance_difference=balance[sides],
        missing_classes=missing[sides],
        newer_than_later_split=newer.astype("int64"),
    )


def _sides_of_value(values: pd.Series[str], sides: Rows, count: int) -> Rows:
    """Return on how many of ``count`` sides each row's value occurs."""
    # Numbers instead of values: groupby would sort the texts, which is slow for a million.
    numbers, names = pd.factorize(values)
    occurs = np.zeros((len(names), count), dtype=bool)
    occurs[numbers, sides] = True
    sides_of_row: Rows = occurs.sum(axis=1)[numbers]
    return sides_of_row
