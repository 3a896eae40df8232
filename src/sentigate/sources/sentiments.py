"""Which label of params.yaml a sentiment of the source is, although it may be written otherwise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import numpy as np
import pandas as pd

from sentigate.errors import SourceError, counted, shorten
from sentigate.settings.yaml_file import flow_mapping, flow_sequence

MOST_LISTED = 20
LONGEST = 80
"""With more unknown sentiments, or longer ones, another column probably has the sentiments."""
NUMBER = re.compile(r"([+-]?)(?=\.?[0-9])0*([0-9]*)(?:\.([0-9]*?)0*)?")


def label_of(sentiment: str, labels: Iterable[str]) -> str | None:
    """Return the label that is ``sentiment``, or None if no label or more than one could be it.

    A label of exactly this text comes first. Otherwise the one label counts that differs at most in
    blanks at the ends, in upper and lower case, or in the way a number is written: ``1``, ``1.0``
    and ``01`` are alike, and so are ``true`` (Parquet) and ``True`` (CSV). ``true``, ``yes`` and
    ``1`` are not.
    """
    return _finder(labels)(sentiment)


def _finder(labels: Iterable[str]) -> Callable[[str], str | None]:
    """Return ``label_of`` for given labels, which are brought into one form only once."""
    exact = set(labels)
    alike: dict[str, list[str]] = {}
    for label in exact:
        alike.setdefault(plain(label), []).append(label)

    def find(sentiment: str) -> str | None:
        if sentiment in exact:
            return sentiment
        found = alike.get(plain(sentiment), ())
        return found[0] if len(found) == 1 else None

    return find


def plain(sentiment: str) -> str:
    """Return the form that all spellings of a sentiment share, by ``label_of``."""
    text = unicodedata.normalize("NFC", sentiment).strip().casefold()
    number = NUMBER.fullmatch(text)
    if number is None:
        return text
    sign, whole, part = number.groups()
    value = (whole or "0") + (f".{part}" if part else "")
    return f"-{value}" if sign == "-" and value != "0" else value


def as_labels(
    sentiments: pd.Series[str], labels: Mapping[str, str | None], place: Callable[[int], str]
) -> pd.Series[str]:
    """Return each sentiment as the label that it is, by ``label_of``.

    Args:
        sentiments: One for each row.
        labels: ``labels`` of the data set: sentiment -> name of its class, or None.
        place: Returns the name of the value at an index, for messages.

    Raises:
        SourceError: some sentiments are no label; the message names all of them, and the line to
            write in params.yaml.
    """
    numbers, names = pd.factorize(sentiments)
    found = list(map(_finder(labels), names))
    if unknown := [number for number, label in enumerate(found) if label is None]:
        rows = np.bincount(numbers)
        raise _refusal(
            place(int((numbers == unknown[0]).argmax())),
            {names[number]: int(rows[number]) for number in unknown},
            labels,
            none_known=len(unknown) == len(found),
        )
    known = pd.array(found, dtype="str").take(numbers)
    return pd.Series(known, index=sentiments.index)


def _refusal(
    place: str, unknown: Mapping[str, int], labels: Mapping[str, str | None], *, none_known: bool
) -> SourceError:
    first = next(iter(unknown))
    what = f"is {shorten(first)}" if first.strip() else "is empty"
    listed = [
        f"{shorten(name)} ({counted(rows, 'row')})"
        for name, rows in islice(_in_order(unknown), MOST_LISTED)
    ]
    message = (
        f"{place} {what}; allowed (the data set's labels): {', '.join(labels)}. "
        f"Sentiments without a label: {', '.join(listed)}"
    )
    if len(unknown) > MOST_LISTED:
        return SourceError(f"{message} and {len(unknown) - MOST_LISTED:,} more")
    if max(map(len, unknown)) > LONGEST:
        return SourceError(message)
    keys = _keys(unknown, labels)
    names = [key for key in keys if key]
    if none_known and len(names) > 1:
        lines = {key: key or None for key in keys}
        return SourceError(
            f"{message}. No row has one of these labels. To make each sentiment a class, write "
            "this in params.yaml; several sentiments may have the same class, and null drops "
            "the rows:\n"
            f"    classes: {{names: {flow_sequence(names)}}}\n"
            f"    labels: {flow_mapping(lines)}"
        )
    return SourceError(
        f"{message}. To use their rows, correct the source, or write this in params.yaml, with a "
        "class of classes.names instead of null; null drops the rows:\n"
        f"    labels: {flow_mapping({**labels, **dict.fromkeys(keys)})}"
    )


def _in_order(unknown: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the items by value if all sentiments are numbers, or else in the order of the file."""
    items = list(unknown.items())
    if all(NUMBER.fullmatch(name.strip()) for name in unknown):
        items.sort(key=lambda item: float(item[0]))
    return items


def _keys(unknown: Mapping[str, int], labels: Iterable[str]) -> list[str]:
    """Return keys of ``labels`` that give each unknown sentiment a label.

    Spellings of one sentiment, such as ``Yes``, ``yes`` and ``YES ``, share the key of the most
    frequent, without blanks at its ends. If labels of params.yaml are alike too, only a key of
    exactly the sentiment's text leaves no doubt.
    """
    doubtful = set(map(plain, labels))
    spellings: dict[str, list[str]] = {}
    for name, _ in _in_order(unknown):
        form = plain(name)
        spellings.setdefault(name if form in doubtful else form, []).append(name)
    return [
        alike[0] if plain(alike[0]) in doubtful else max(alike, key=unknown.__getitem__).strip()
        for alike in spellings.values()
    ]
