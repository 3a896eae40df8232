"""Describe the texts of a data set: balance, lengths, languages, near-copies, several labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.data.languages import languages
from sentigate.data.near_copies import near_copy_clusters
from sentigate.data.spacing import spacing
from sentigate.data.stage_files import SPLITS
from sentigate.model.labels import Classes

Rows = npt.NDArray[np.int64]
QUANTILES = {"least": 0.0, "low": 0.05, "median": 0.5, "high": 0.95, "most": 1.0}
BARS = 24
"""Largest number of bars in the histogram of lengths."""
SHOWN = 0.99
"""Share of the texts that the histogram shows; the longest would squeeze it."""


class Bar(NamedTuple):
    """A bar of a histogram: the number of texts with a length from ``low`` to ``high``."""

    low: int
    high: int
    texts: int


class Lengths(NamedTuple):
    """The lengths of texts.

    Attributes:
        unit: "words", or "characters" if no spaces separate the words.
        rows: by split and by class: name, number of texts, and the quantiles of QUANTILES.
        bars: a histogram of all texts, up to a length that 99 % of them do not exceed.
        longer: number of longer texts.
    """

    unit: str
    rows: list[dict[str, Any]]
    bars: list[Bar]
    longer: int


class Languages(NamedTuple):
    """The languages of texts.

    Attributes:
        shares: ISO 639-1 code -> share of the judged texts; "" if unknown.
        judged: number of judged texts.
        texts: number of all texts.
    """

    shares: dict[str, float]
    judged: int
    texts: int


class Families(NamedTuple):
    """The families of texts: a chain of near-copies joins the rows of a family.

    Attributes:
        counts: kind of family -> its ``families`` and their ``rows``: ``all`` of two rows or more;
            ``one_group`` and ``several_groups``; ``several_splits``; and ``several_labels``.
        table: the first families, those with several labels and the largest first: rows, groups,
            splits (names), labels (numbers), texts (two that differ, if they do).
    """

    counts: dict[str, dict[str, int]]
    table: list[dict[str, Any]]


def class_balance(splits: pd.DataFrame, classes: Classes) -> dict[str, Rows]:
    """Return the number of rows of each class, (K,), in each split that has rows, and in "all".

    Args:
        splits: columns split (str) and label (int8).
        classes: the K classes.
    """
    labels = splits["label"].to_numpy()
    counts = {
        name: np.bincount(labels[(splits["split"] == name).to_numpy()], minlength=classes.count)
        for name in SPLITS
    }
    counts = {name: found for name, found in counts.items() if found.any()}
    return counts | {"all": np.bincount(labels, minlength=classes.count)}


def text_lengths(splits: pd.DataFrame, classes: Classes) -> Lengths:
    """Measure the lengths of the texts.

    Args:
        splits: columns split, text (str) and label (int8); one row at least.
        classes: the classes.
    """
    by_words = spacing(splits["text"]).parts_words
    text = splits["text"].str
    lengths = np.asarray(text.count(r"\S+") if by_words else text.len(), dtype=np.int64)

    def parts() -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        yield "all", np.ones(len(splits), dtype=bool)
        for name in SPLITS:
            yield name, (splits["split"] == name).to_numpy()
        for label, name in enumerate(classes.names):
            yield f"class {name}", (splits["label"] == label).to_numpy()

    rows = [
        {"name": name, "texts": int(chosen.sum()), **_quantiles(lengths[chosen])}
        for name, chosen in parts()
        if chosen.any()
    ]
    most = int(np.quantile(lengths, SHOWN, method="higher"))
    width = -(-(most + 1) // BARS)
    counts = np.bincount(lengths[lengths <= most] // width)
    bars = [
        Bar(place * width, min((place + 1) * width - 1, most), number)
        for place, number in enumerate(counts.tolist())
    ]
    unit = "words" if by_words else "characters"
    return Lengths(unit, rows, bars, int((lengths > most).sum()))


def text_languages(texts: pd.Series[str], most: int, seed: int) -> Languages:
    """Judge the languages of a random sample of at most ``most`` texts."""
    sample = texts
    if len(texts) > most:
        chosen = np.random.default_rng(seed).choice(len(texts), most, replace=False)
        sample = texts.iloc[np.sort(chosen)]
    return Languages(languages(sample.tolist()), len(sample), len(texts))


def families(splits: pd.DataFrame, most: int) -> Families:
    """Find the families of near-copies.

    Args:
        splits: columns group, split, text (str) and label (int8).
        most: largest number of families in the table.
    """
    number = near_copy_clusters(splits["text"])
    alike = np.bincount(number)[number] > 1
    rows = splits.loc[alike, ["group", "split", "label", "text"]].assign(family=number[alike])
    kinds = rows.groupby("family", sort=True).agg(
        rows=("label", "size"),
        groups=("group", "nunique"),
        splits=("split", "nunique"),
        labels=("label", "nunique"),
    )

    def counted(which: pd.Series[bool]) -> dict[str, int]:
        return {"families": int(which.sum()), "rows": int(kinds.loc[which, "rows"].sum())}

    counts = {
        "all": counted(kinds["rows"] > 0),
        "one_group": counted(kinds["groups"] == 1),
        "several_groups": counted(kinds["groups"] > 1),
        "several_splits": counted(kinds["splits"] > 1),
        "several_labels": counted(kinds["labels"] > 1),
    }
    first = kinds.assign(conflict=kinds["labels"] > 1).sort_values(
        ["conflict", "rows"], ascending=False, kind="stable"
    )
    table = []
    for family in first.index[:most]:
        members = rows.loc[rows["family"] == family]
        found = set(members["split"])
        table.append(
            {
                "rows": len(members),
                "groups": int(members["group"].nunique()),
                "splits": [name for name in SPLITS if name in found],
                "labels": sorted(members["label"].unique().tolist()),
                "texts": members["text"].drop_duplicates().head(2).tolist(),
            }
        )
    return Families(counts, table)


def conflicting_texts(conflicts: pd.DataFrame, most: int) -> list[dict[str, Any]]:
    """Return the first texts that have several labels, each with its rows.

    Args:
        conflicts: columns id, label and text, as clean writes them.
        most: largest number of texts.

    Returns:
        For each text: ``text``, and ``ids`` by label (number).
    """
    found: dict[str, dict[int, list[str]]] = {}
    for row_id, label, text in conflicts[["id", "label", "text"]].itertuples(index=False):
        if text not in found and len(found) == most:
            break
        found.setdefault(text, {}).setdefault(label, []).append(row_id)
    return [{"text": text, "ids": dict(sorted(ids.items()))} for text, ids in found.items()]


def _quantiles(lengths: Rows) -> dict[str, int]:
    values = np.quantile(lengths, [*QUANTILES.values()], method="inverted_cdf")
    return dict(zip(QUANTILES, map(int, values), strict=True))
