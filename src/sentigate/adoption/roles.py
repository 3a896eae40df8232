"""Which column holds what: texts, labels, groups, ids, folds, dates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sentigate.errors import SourceError, shorten

from .dates import date_formats
from .describe import Column
from .doubt import Doubt
from .labels import FEWEST
from .words import is_called, place_in, plain_name, words

MOST_SLICES = 30
LARGEST_GROUP = 0.1
"""A larger group could not be in the test split."""


@dataclass(frozen=True)
class Roles:
    """The proposed columns of a source; None or empty: no column has the role."""

    texts: tuple[str, ...]
    label: str
    group: str | None = None
    id: str | None = None
    slice: str | None = None
    fold: str | None = None
    folds: Mapping[str, str] | None = None
    date: str | None = None
    date_format: str = ""
    contexts: tuple[str, ...] = ()
    """Columns that may be what a sentiment is towards; none is taken without a reason."""
    doubts: tuple[Doubt, ...] = ()


class _Scored(NamedTuple):
    score: float
    column: Column


def find_roles(columns: Sequence[Column], choices: Mapping[str, str]) -> Roles:
    """Find which column holds what.

    Args:
        columns: The columns of the table.
        choices: Columns that the user chose, under ``text`` (several with a comma between them),
            ``label`` and ``group`` ("none" for no group).

    Raises:
        SourceError: no column can be the texts, or the labels; or a chosen column does not exist.
    """
    named = {column.name: column for column in columns}
    doubts: list[Doubt] = []
    texts = _chosen(choices.get("text"), named) or _texts(columns, choices.get("label"), doubts)
    rest = [column for column in columns if column.name not in texts and column.filled]
    chosen = _chosen(choices.get("label"), named)
    label = chosen[0] if chosen else _label(rest, columns, doubts)
    rest = [column for column in rest if column.name != label]
    id_ = _id(rest, doubts)
    rest = [column for column in rest if column.name != id_]
    fold, folds = _fold(rest, doubts)
    date, date_format = _date(rest, doubts)
    rest = [column for column in rest if column.name not in (fold, date)]
    if choices.get("group") == "none":
        group = None
    elif chosen := _chosen(choices.get("group"), named):
        group = chosen[0]
    else:
        group = _group(rest, doubts)
    rest = [column for column in rest if column.name != group]
    slice_ = _slice(rest)
    contexts = tuple(column.name for column in rest if _can_be_context(column))
    return Roles(
        texts,
        label,
        group=group,
        id=id_,
        slice=slice_,
        fold=fold,
        folds=folds,
        date=date,
        date_format=date_format,
        contexts=contexts,
        doubts=tuple(doubts),
    )


def _chosen(given: str | None, named: Mapping[str, Column]) -> tuple[str, ...]:
    """Return the columns that the user named; "a, b" may also be the name of one column."""
    if not given:
        return ()
    names = [given] if given in named else [name.strip() for name in given.split(",")]
    for name in names:
        if name not in named:
            raise SourceError(f"the table has no column {name!r}; it has {', '.join(named)}")
    return tuple(names)


# Texts


def _texts(columns: Sequence[Column], label: str | None, doubts: list[Doubt]) -> tuple[str, ...]:
    scored = _ranked(
        [column for column in columns if column.name != label], _text_score, at_least=1.0
    )
    if not scored:
        raise SourceError(
            "no column seems to hold texts. Name it with --text; the table has "
            + ", ".join(column.name for column in columns)
        )
    best = scored[0].column
    titles = [each.column for each in scored if is_called("title", each.column.name)]
    others = [each.column for each in scored[1:] if each.column not in titles]
    if best in titles and others and others[0].words >= best.words:
        best, others = others[0], others[1:]
    titles = [column for column in titles if column is not best]
    close = [each for each in others if _text_score(each) >= 0.5 * _text_score(best)]
    if titles:
        names = (titles[0].name, best.name)
        said = f"{names[0]!r} and {names[1]!r} both hold texts: joined with a blank between them"
        other = (best.name, *(column.name for column in close))
        doubts.append(Doubt("text", said, ",".join(names), other))
        return names
    if close:
        said = f"{best.name!r} is taken for the texts; {_quoted(close)} could be it too"
        doubts.append(Doubt("text", said, best.name, tuple(each.name for each in close)))
    return (best.name,)


def _text_score(column: Column) -> float:
    """Return about how many words a value has, with more for a name that says text."""
    if not column.sample or column.is_number or column.is_link or column.date_format is not None:
        return 0.0
    named = is_called("text", column.name) or is_called("title", column.name)
    if not named and (column.words < 2 or column.characters < 8):
        return 0.0
    least = 0.02 if named else 0.1
    if column.characters < 2 or len(set(column.sample)) < least * len(column.sample):
        return 0.0
    if any(is_called(role, column.name) for role in ("id", "group", "measure")) and not named:
        return min(column.words, 60.0) / 10
    return min(column.words, 60.0) + (30.0 if is_called("text", column.name) else 0.0)


# Labels


def _label(rest: Sequence[Column], columns: Sequence[Column], doubts: list[Doubt]) -> str:
    scored = _ranked(rest, label_score, at_least=1.0)
    if not scored:
        raise SourceError(
            "no column seems to hold labels (few distinct values, or scores). Name it with "
            f"--label; the table has {', '.join(column.name for column in columns)}"
        )
    (best_score, best), *others = scored
    close = [each.column for each in others if each.score >= max(20.0, 0.5 * best_score)]
    if best_score < 20:
        close = [each.column for each in others]
        said = f"nothing but few distinct values says that {best.name!r} holds the labels"
        if close:
            said += f"; {_quoted(close)} could hold them too"
        names = tuple(column.name for column in close)
        doubts.append(Doubt("label", said, best.name, names, must_choose=bool(close)))
    elif close:
        said = f"{best.name!r} is taken for the labels; {_quoted(close)} could hold them too"
        equal = others[0].score == best_score and place_in("label", best.name) is None
        names = tuple(column.name for column in close)
        doubts.append(Doubt("label", said, best.name, names, must_choose=equal))
    return best.name


def label_score(column: Column) -> float:
    """Return how well a column would do as labels; 0: it cannot."""
    if column.distinct < 2 or column.is_link or column.date_format is not None:
        return 0.0
    by_name = 0.0
    plain = plain_name(column.name)
    for role, worth in (("label", 50.0), ("score", 45.0)):
        if plain in words().columns[role]:  # type: ignore[index]
            by_name = max(by_name, worth)
        elif is_called(role, column.name):  # type: ignore[arg-type]
            by_name = max(by_name, worth - 15)
    if _is_sentiment(plain.removeprefix("is_")):
        by_name = max(by_name, 30.0)
    if is_called("measure", column.name) or is_called("fold", column.name):
        by_name = min(by_name, 20.0) - 30
    counts = column.counts
    if column.is_number:
        if counts is not None and column.distinct <= 11:
            return max(0.0, by_name + 10 + _known_numbers(counts))
        return max(0.0, by_name)
    if counts is None or column.distinct > 64 or column.distinct > 0.5 * column.filled:
        return 0.0
    if column.words > 5:
        return 0.0
    by_value = 5.0
    known = [key for key in counts if _is_sentiment(key)]
    rows = sum(counts[key] for key in known) / max(1, sum(counts.values()))
    if len(known) > 1 and rows > 0.5:
        by_value = 45.0
    elif {plain_name(key) for key in counts} <= {*words().yes, *words().no}:
        by_value = 8.0
    elif _fold_names(counts):
        return 0.0
    elif re.search(r"\d", "".join(counts)) and all(re.match(r"[★⭐\d]", key) for key in counts):
        by_value = 20.0  # "4 stars"
    if place_in("group", column.name) is not None or place_in("slice", column.name) is not None:
        by_name = min(by_name, 20.0) - 10
    return max(0.0, by_name + by_value)


def _known_numbers(counts: Mapping[str, int]) -> float:
    numbers = sorted({float(key) for key in counts if re.fullmatch(r"\s*[-+]?\d+(\.0*)?\s*", key)})
    if numbers in ([-1, 0, 1], [-1, 1], [0, 4], [0, 2, 4], [1, 2, 3, 4, 5]):
        return 10.0
    return 5.0 if numbers == [0, 1] else 0.0


def _is_sentiment(value: str) -> bool:
    word = plain_name(value)
    return len(word) > 1 and any(word in known for known in words().grades.values())


# Other columns


def _id(rest: Sequence[Column], doubts: list[Doubt]) -> str | None:
    for column in rest:
        if is_called("id", column.name) or column.name == "":
            if column.is_unique:
                return column.name
            if plain_name(column.name) in ("id", "uuid", "guid") and column.distinct > 1:
                said = (
                    f"{column.name!r} has a value twice or none, so it is no id: rows are numbered"
                )
                doubts.append(Doubt("id", said))
    return None


def _fold_names(counts: Mapping[str, int]) -> dict[str, str]:
    """Return fold -> value, if all values are known names of folds."""
    found: dict[str, str] = {}
    for value in counts:
        word = plain_name(value)
        fold = next((fold for fold, known in words().folds.items() if word in known), None)
        if fold is None or fold in found:
            return {}
        found[fold] = value
    return found


def _fold(rest: Sequence[Column], doubts: list[Doubt]) -> tuple[str | None, dict[str, str] | None]:
    for column in rest:
        if column.counts is None or column.filled < column.rows or not 1 < column.distinct <= 5:
            continue
        found = _fold_names(column.counts)
        if {"train", "test"} <= set(found):
            order = [fold for fold in words().folds if fold in found]
            return column.name, {found[fold]: fold for fold in order}
        if set(found) == {"train", "validation"}:
            said = (
                f"{column.name!r} has training and validation rows, but none for the test: it is "
                "not used, the split is made anew"
            )
            doubts.append(Doubt("fold", said))
    return None, None


def _date(rest: Sequence[Column], doubts: list[Doubt]) -> tuple[str | None, str]:
    for column in sorted(rest, key=lambda column: not is_called("date", column.name)):
        named = is_called("date", column.name)
        if not (formats := date_formats(column.sample, of_numbers=named)):
            continue
        if len(formats) > 1:
            said = (
                f"the dates in {column.name!r} fit {' and '.join(formats[:2])}: not used. Add "
                "date_column and date_format to split by them"
            )
            doubts.append(Doubt("date", said))
            return None, ""
        return column.name, formats[0]
    return None, ""


def _group(rest: Sequence[Column], doubts: list[Doubt]) -> str | None:
    found = [column for column in rest if place_in("group", column.name) is not None]
    found = [column for column in found if _can_be_group(column)]
    found.sort(key=lambda column: place_in("group", column.name) or 0)
    if found:
        others = tuple(column.name for column in found[1:])
        said = f"rows with the same {found[0].name!r} stay in one split"
        if others:
            said += f"; {_quoted(found[1:])} could be the group too"
        doubts.append(Doubt("group", said, found[0].name, (*others, "none")))
        return found[0].name
    maybe = [
        column
        for column in rest
        if _can_be_group(column) and not column.is_number and column.words < 4
    ]
    if maybe:
        said = (
            f"many rows share a value of {_quoted(maybe)}: if they are by one author or about one "
            "thing, they should stay in one split"
        )
        names = tuple(column.name for column in maybe)
        doubts.append(Doubt("group", said, "none", names))
    return None


def _can_be_group(column: Column) -> bool:
    return (
        not column.is_long
        and FEWEST <= column.distinct < 0.95 * column.filled
        and column.largest <= LARGEST_GROUP
        and column.date_format is None
    )


def _slice(rest: Sequence[Column]) -> str | None:
    for column in rest:
        few = column.counts is not None and 2 <= column.distinct <= MOST_SLICES
        if few and is_called("slice", column.name) and not column.is_number:
            return column.name
    return None


def _can_be_context(column: Column) -> bool:
    return is_called("context", column.name) and column.distinct > 1 and not column.is_number


def _ranked(
    columns: Sequence[Column], score: Callable[[Column], float], at_least: float
) -> list[_Scored]:
    scored = [_Scored(score(column), column) for column in columns]
    scored = [each for each in scored if each.score >= at_least]
    return sorted(scored, key=lambda each: -each.score)


def _quoted(columns: Sequence[Column]) -> str:
    return " and ".join(shorten(column.name, 40) for column in columns[:4])
