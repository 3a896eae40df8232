"""The published fold of each row, whatever the table calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from sentigate.errors import SourceError
from sentigate.settings.yaml_file import flow_mapping

from .sentiments import finder
from .unknown_values import translated

FOLDS = ("train", "validation", "test")
USUAL = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "heldout", "holdout"), "test"),
}
"""Usual names, to be proposed; a table's own names are only used if the settings say so."""


def as_folds(
    values: pd.Series[str],
    folds: Mapping[str, str | None] | None,
    place: Callable[[int], str],
    entry: str,
) -> pd.Series[str]:
    """Return train, validation or test for each value, and "" for one whose rows are dropped.

    Args:
        values: Names of folds, as the table has them.
        folds: Name in the table -> fold, or None to drop its rows. Without it, the names are train,
            validation and test.
        place: Returns the name of the value at an index, for messages.
        entry: File with the settings of the data set, for messages.

    Raises:
        SourceError: some names are not known; the message has all of them, and the line to write.
    """
    known = dict.fromkeys(FOLDS) | {fold: fold for fold in FOLDS} if folds is None else folds
    find = finder(known)

    def meaning(value: str) -> str | None:
        name = find(value)
        return None if name is None else known[name] or ""

    found, unknown = translated(values, meaning)
    if unknown is None:
        return found
    message = (
        f"{place(unknown.first)} {unknown.what}; allowed: {', '.join(known)}. Folds without a "
        f"meaning: {unknown.listed()}"
    )
    if not unknown.are_few:
        raise SourceError(message)
    given = folds
    if given is None:
        given = {name.strip(): known[find(name) or ""] for name in unknown.others}
    proposed = {name.strip(): USUAL.get(_usual(name)) for name in unknown.rows}
    raise SourceError(
        f"{message}. Write this in {entry} under source, with train, validation, test or null for "
        f"each; null drops the rows:\n  folds: {flow_mapping({**given, **proposed})}"
    )


def _usual(name: str) -> str:
    return "".join(filter(str.isalpha, name.casefold())).removesuffix("set").removesuffix("split")
