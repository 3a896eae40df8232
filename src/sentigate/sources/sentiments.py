"""Which label of the data set a sentiment is, although the source may write it otherwise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from sentigate.errors import SourceError
from sentigate.settings.yaml_file import flow_mapping, flow_sequence

from .unknown_values import Unknown, translated

NUMBER = re.compile(r"([+-]?)(?=\.?[0-9])0*([0-9]*)(?:\.([0-9]*?)0*)?")


def label_of(sentiment: str, labels: Iterable[str]) -> str | None:
    """Return the label that is ``sentiment``, or None if no label or more than one could be it.

    A label of exactly this text comes first. Otherwise the one label counts that differs at most in
    blanks at the ends, in upper and lower case, or in the way a number is written: ``1``, ``1.0``
    and ``01`` are alike, and so are ``true`` (Parquet) and ``True`` (CSV). ``true``, ``yes`` and
    ``1`` are not.
    """
    return finder(labels)(sentiment)


def finder(labels: Iterable[str]) -> Callable[[str], str | None]:
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
    sentiments: pd.Series[str],
    labels: Mapping[str, str | None],
    place: Callable[[int], str],
    entry: str,
) -> pd.Series[str]:
    """Return each sentiment as the label that it is, by ``label_of``.

    Args:
        sentiments: One for each row.
        labels: ``labels`` of the data set: sentiment -> name of its class, or None.
        place: Returns the name of the value at an index, for messages.
        entry: File with the settings of the data set, for messages.

    Raises:
        SourceError: some sentiments are no label; the message names all of them, and the line to
            write in ``entry``.
    """
    found, unknown = translated(sentiments, finder(labels))
    if unknown is not None:
        raise _refusal(place(unknown.first), unknown, labels, entry)
    return found


def _refusal(
    place: str, unknown: Unknown, labels: Mapping[str, str | None], entry: str
) -> SourceError:
    message = (
        f"{place} {unknown.what}; allowed (the data set's labels): {', '.join(labels)}. "
        f"Sentiments without a label: {unknown.listed(_in_order)}"
    )
    if not unknown.are_few:
        return SourceError(message)
    keys = _keys(unknown.rows, labels)
    names = [key for key in keys if key]
    if not unknown.others and len(names) > 1:
        lines = {key: key or None for key in keys}
        return SourceError(
            f"{message}. No row has one of these labels. To make each sentiment a class, write "
            f"this in {entry}; several sentiments may have the same class, and null drops "
            "the rows:\n"
            f"classes: {{names: {flow_sequence(names)}}}\n"
            f"labels: {flow_mapping(lines)}"
        )
    return SourceError(
        f"{message}. To use their rows, correct the source, or write this in {entry}, with a "
        "class of classes.names instead of null; null drops the rows:\n"
        f"labels: {flow_mapping({**labels, **dict.fromkeys(keys)})}"
    )


def _in_order(unknown: Mapping[str, int]) -> dict[str, int]:
    """Return the items by value if all sentiments are numbers, or else in the order of the file."""
    if not all(NUMBER.fullmatch(name.strip()) for name in unknown):
        return dict(unknown)
    return dict(sorted(unknown.items(), key=lambda item: float(item[0])))


def _keys(unknown: Mapping[str, int], labels: Iterable[str]) -> list[str]:
    """Return keys of ``labels`` that give each unknown sentiment a label.

    Spellings of one sentiment, such as ``Yes``, ``yes`` and ``YES ``, share the key of the most
    frequent, without blanks at its ends. If labels of the data set are alike too, only a key of
    exactly the sentiment's text leaves no doubt.
    """
    doubtful = set(map(plain, labels))
    spellings: dict[str, list[str]] = {}
    for name in _in_order(unknown):
        form = plain(name)
        spellings.setdefault(name if form in doubtful else form, []).append(name)
    return [
        alike[0] if plain(alike[0]) in doubtful else max(alike, key=unknown.__getitem__).strip()
        for alike in spellings.values()
    ]
