"""Classes for the values of a column: words, truth values, stars, or scores cut into bands."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sentigate.errors import SourceError, counted, shorten
from sentigate.model.labels import BINARY, MOST_CLASSES
from sentigate.sources.sentiments import plain

from .describe import NUMBER, Column
from .doubt import Doubt
from .words import is_called, plain_name, words

FEWEST = 15
"""Rows that a class needs: with fewer, the validation split may have none of it."""
MOSTLY = 0.98
"""If this share of the rows has numbers, other values are no labels."""
TYPING_ERRORS = 0.01
"""A value with at most this share of another's rows may be a misspelling of it."""
_COUNTED = re.compile(
    r"([+-]?\d+(?:[.,]\d+)?)\s*"
    r"(?:-?stars?|/\s*\d+|out of \d+|points?|sterne?|étoiles?|estrellas?|stelle|звезды?|星|점)?",
    re.IGNORECASE,
)
_STARS = re.compile(r"(★+|⭐+)[☆ ]*")


@dataclass(frozen=True)
class Labels:
    """Proposed classes.

    Attributes:
        names: Names of the classes.
        ordered: Whether they are a scale.
        labels: Sentiment -> name of its class, or None.
        bands: Borders of scores; then the sentiments are "1", "2", ...
        rows: Name of a class -> number of rows.
        doubts: What was not sure.
    """

    names: tuple[str, ...]
    ordered: bool
    labels: dict[str, str | None]
    rows: dict[str, int]
    bands: tuple[float, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def propose_labels(column: Column, how: str = "") -> Labels:
    """Propose classes for a column of sentiments.

    Args:
        column: The column.
        how: "each" makes every value a class, "three" and "two" make bands of scores or stars; ""
            is the usual.

    Raises:
        SourceError: the column has no two classes with enough rows, or too many.
    """
    counts = _spelled(column)
    without = {key: rows for key, rows in counts.items() if _is_no_label(key)}
    values = {key: rows for key, rows in counts.items() if key not in without}
    numbers = {key: number for key in values if (number := _number(key)) is not None}
    if len(numbers) > 1 and _rows(numbers, values) >= MOSTLY * _rows(values, values):
        without |= {key: rows for key, rows in values.items() if key not in numbers}
        values = {key: values[key] for key in numbers}
    if column.counts is None and column.is_number:
        proposed = _bands(_sample_counts(column), how or "three", column.filled)
    elif len(values) > 1 and len(numbers) == len(values):
        proposed = _of_numbers(column, values, numbers, how, junk=bool(without))
    else:
        proposed = _of_words(column, values)
    return _finished(column, proposed, without)


def _rows(keys: Iterable[str], values: Mapping[str, int]) -> int:
    return sum(values[key] for key in keys)


def _is_no_label(value: str) -> bool:
    return plain_name(value) in words().no_label and _number(value) is None


def _spelled(column: Column) -> dict[str, int]:
    """Return each value, spellings of one value as one, with its rows."""
    alike: dict[str, dict[str, int]] = {}
    for value, rows in (column.counts or {}).items():
        alike.setdefault(plain(value), {})[value] = rows
    merged = {}
    for form, spellings in alike.items():
        best = max(spellings, key=spellings.__getitem__).strip()
        key = form if re.fullmatch(r"-?\d+(\.\d+)?", form) else best
        merged[key] = sum(spellings.values())
    return merged


def _number(value: str) -> float | None:
    """Return the number of a score or of stars: ``4``, ``4 stars``, ``4/5``, ``★★★★``."""
    value = value.strip()
    if found := _STARS.fullmatch(value):
        return float(len(found[1]))
    found = _COUNTED.fullmatch(value)
    return float(found[1].replace(",", ".")) if found else None


def _sample_counts(column: Column) -> dict[float, int]:
    found: dict[float, int] = {}
    for value in column.sample:
        number = _number(value)
        if number is not None and math.isfinite(number):
            found[number] = found.get(number, 0) + 1
    return found


# Words


def _of_words(column: Column, values: Mapping[str, int]) -> Labels:
    if len(values) > MOST_CLASSES:
        raise SourceError(
            f"column {column.name!r} has {len(values):,} distinct values; allowed: up to "
            f"{MOST_CLASSES} classes, or numbers. Name another column with --label"
        )
    if (truth := _of_truth(column, values)) is not None:
        return truth
    grades = {key: grade for key in values if (grade := _grade(key)) is not None}
    signs = {grade > 2 for grade in grades.values() if grade != 2}
    of_all = sum(values[key] for key in grades) / max(1, sum(values.values()))
    if len(signs) == 2 and of_all >= 0.5:
        return _of_grades(values, grades)
    doubts: list[Doubt] = []
    typed = _misspelled(values)
    for key, right in typed.items():
        doubts.append(_misspelling(key, right, values))
    names = sorted((key for key in values if key not in typed), key=str.casefold)
    rows = {name: values[name] for name in names}
    for key, right in typed.items():
        rows[right] += values[key]
    labels: dict[str, str | None] = {key: typed.get(key, key) for key in (*names, *typed)}
    return Labels(tuple(names), False, labels, rows, doubts=tuple(doubts))


def _of_truth(column: Column, values: Mapping[str, int]) -> Labels | None:
    found = {key: plain_name(key) for key in values}
    yes = [key for key in values if found[key] in words().yes]
    no = [key for key in values if found[key] in words().no]
    if not yes or not no or len(yes) + len(no) < len(values):
        return None
    return _two(column, no, yes, values)


def _two(
    column: Column, no: Sequence[str], yes: Sequence[str], values: Mapping[str, int]
) -> Labels:
    """Return the classes of a question, named after the column if it says which question."""
    subject = re.sub("^(is|has)_", "", plain_name(column.name)).replace("_", " ")
    grade, doubts = _grade(subject), []
    negative, positive = BINARY.names
    if is_called("label", column.name) or not re.search(r"[^\W\d]", subject):
        of_no, of_yes = negative, positive
        said = f"{_listed(yes)} is taken as {positive}, {_listed(no)} as {negative}"
        doubts.append(Doubt("classes", said))
    elif grade is not None:
        of_no, of_yes = (negative, positive) if grade > 2 else (positive, negative)
    else:
        of_no, of_yes = f"not {subject}", subject
    names = (of_yes, of_no) if of_yes == negative else (of_no, of_yes)
    labels: dict[str, str | None] = {**dict.fromkeys(no, of_no), **dict.fromkeys(yes, of_yes)}
    rows = {of_no: sum(values[key] for key in no), of_yes: sum(values[key] for key in yes)}
    return Labels(names, False, labels, {name: rows[name] for name in names}, doubts=tuple(doubts))


def _grade(value: str) -> int | None:
    """Return the place of a word in words.yaml's grades, from 0, very negative, to 4; or None."""
    word = plain_name(value)
    for place, known in enumerate(words().grades.values()):
        if word in known:
            return place
    return None


def _of_grades(values: Mapping[str, int], grades: Mapping[str, int]) -> Labels:
    """Order known words from negative to positive; what is unknown beside them gets null."""
    by_grade = sorted(grades, key=lambda key: (grades[key], key.casefold()))
    three = len(set(grades.values())) == len(grades) and set(grades.values()) <= {1, 2, 3}
    titles = list(words().grades)
    named = {key: titles[grades[key]] if three else key.lower() for key in by_grade}
    names = tuple(dict.fromkeys(named.values()))
    labels: dict[str, str | None] = dict(named)
    rows = dict.fromkeys(names, 0)
    for key, name in named.items():
        rows[name] += values[key]
    doubts = []
    for key, number in values.items():
        if key in grades:
            continue
        close = difflib.get_close_matches(key.lower(), [one.lower() for one in grades], 1, 0.8)
        right = next((one for one in grades if close and one.lower() == close[0]), None)
        if right and number <= max(1, TYPING_ERRORS * values[right]):
            labels[key] = named[right]
            rows[named[right]] += number
            doubts.append(_misspelling(key, right, values))
        else:
            labels[key] = None
            doubts.append(
                Doubt(
                    "classes",
                    f"{shorten(key)} ({counted(number, 'row')}) has no place between "
                    f"{names[0]} and {names[-1]}: null, which drops its rows",
                )
            )
    return Labels(names, len(names) > 2, labels, rows, doubts=tuple(doubts))


def _misspelled(values: Mapping[str, int]) -> dict[str, str]:
    """Return rare values that are nearly a frequent one -> the frequent one."""
    found = {}
    for key, rows in values.items():
        others = [one for one in values if rows <= TYPING_ERRORS * values[one]]
        if close := difflib.get_close_matches(key, others, 1, 0.85):
            found[key] = close[0]
    return found


def _misspelling(key: str, right: str, values: Mapping[str, int]) -> Doubt:
    return Doubt(
        "classes",
        f"{shorten(key)} ({counted(values[key], 'row')}) is taken as a misspelling of "
        f"{shorten(right)} ({counted(values[right], 'row')})",
    )


# Numbers


def _of_numbers(
    column: Column,
    values: Mapping[str, int],
    numbers: Mapping[str, float],
    how: str,
    *,
    junk: bool,
) -> Labels:
    """Return classes of codes, stars or scores; ``junk``: some other values are no numbers."""
    counts: dict[float, int] = {}
    for key, rows in values.items():
        counts[numbers[key]] = counts.get(numbers[key], 0) + rows
    found = sorted(counts)
    keys = sorted(values, key=lambda key: numbers[key])
    stars = _are_stars(column, keys)
    few = min(counts.values()) < FEWEST
    if found == [0, 1]:
        return _two(column, [keys[0]], keys[1:], values)
    if (grades := _grades_of(found, stars=stars)) is not None:
        names = [list(words().grades)[grades[numbers[key]]] for key in keys]
        said = ", ".join(f"{key} as {name}" for key, name in zip(keys, names, strict=True))
        return _each(keys, names, values, [Doubt("classes", f"{said}: taken by their order")])
    whole = all(number == int(number) for number in found)
    can_be_each = whole and len(found) <= 11
    is_scale = stars or column_is_score(column) or found[0] != 0
    if not is_scale and can_be_each:
        names = [f"label {key}" for key in keys]
        said = (
            "what the numbers mean is not in the table: change the names in `classes` and `labels`"
        )
        labels = _each(keys, names, values, [Doubt("classes", said)])
        return Labels(labels.names, False, labels.labels, labels.rows, doubts=labels.doubts)
    usual = "each" if can_be_each and found[-1] <= 5 and found[0] >= 0 and not few else "three"
    how = how or usual
    if how == "each" and len(found) <= MOST_CLASSES:
        names = [_star_name(numbers[key]) for key in keys]
        others = ("three", "two")
        said = f"{len(found)} classes, one for each of {_listed(keys)}; or bands of them"
        return _each(keys, names, values, [Doubt("classes", said, "each", others)])
    cut = not junk and all(map(NUMBER.fullmatch, keys))
    keyed = None if cut else {key: numbers[key] for key in keys}
    return _bands(counts, how, sum(counts.values()), each=can_be_each, keyed=keyed)


def column_is_score(column: Column) -> bool:
    """Return whether the column's name says that it holds stars or scores."""
    return is_called("score", column.name)


def _are_stars(column: Column, keys: Sequence[str]) -> bool:
    return column_is_score(column) or any(not re.fullmatch(r"[-+\d.,]+", key) for key in keys)


def _grades_of(found: Sequence[float], *, stars: bool) -> dict[float, int] | None:
    """Return number -> grade for the usual codes of sentiments."""
    codes: dict[tuple[float, ...], tuple[int, ...]] = {
        (-1, 1): (1, 3),
        (-1, 0, 1): (1, 2, 3),
        (0, 4): (1, 3),
        (0, 2, 4): (1, 2, 3),
        (-2, -1, 0, 1, 2): (0, 1, 2, 3, 4),
    }
    if not stars:
        codes |= {(1, 2): (1, 3), (0, 1, 2): (1, 2, 3), (1, 2, 3): (1, 2, 3)}
        codes |= {(0, 1, 2, 3, 4): (0, 1, 2, 3, 4)}
    grades = codes.get(tuple(found))
    return None if grades is None else dict(zip(found, grades, strict=True))


def _star_name(number: float) -> str:
    shown = f"{number:g}"
    return f"{shown} star" if number == 1 else f"{shown} stars"


def _each(
    keys: Sequence[str], names: Sequence[str], values: Mapping[str, int], doubts: Sequence[Doubt]
) -> Labels:
    rows = dict.fromkeys(names, 0)
    for key, name in zip(keys, names, strict=True):
        rows[name] += values[key]
    labels: dict[str, str | None] = dict(zip(keys, names, strict=True))
    return Labels(tuple(rows), len(rows) > 2, labels, rows, doubts=tuple(doubts))


def _bands(
    counts: Mapping[float, int],
    how: str,
    filled: int,
    *,
    each: bool = False,
    keyed: Mapping[str, float] | None = None,
) -> Labels:
    """Cut scores at zero if some are negative, or else into parts with about as many rows.

    ``keyed`` has the values to list in ``labels``, because bands cut only columns of numbers.
    """
    found = sorted(counts)
    low, high = found[0], found[-1]
    total = sum(counts.values())
    titles = list(words().grades)
    if low < 0 < high and how != "two":
        smallest = next(number for number in found if number > 0)
        neutral = counts.get(0.0, 0) >= 0.05 * total
        borders = [0.0, smallest] if neutral else [0.0]
        names = (titles[1], titles[2], titles[3]) if neutral else BINARY.names
        said = f"scores from {low:g} to {high:g} are cut at zero"
    else:
        parts = 2 if how == "two" else 3
        of_five = parts == 3 and low >= 1 and high == 5 and {3.0, 4.0} <= set(found)
        borders = [3.0, 4.0] if of_five else _quantiles(counts, parts)
        parts = len(borders) + 1
        names = BINARY.names if parts == 2 else tuple(words().bands)
        how_cut = "" if of_five else " with about as many rows"
        said = f"scores from {low:g} to {high:g} are cut into {parts} parts{how_cut}"
    shown = ", ".join(f"{border:g}" for border in borders)
    others = tuple(one for one in ("three", "two", *(["each"] if each else [])) if one != how)
    doubt = Doubt("classes", f"{said}: bands [{shown}]", how, others)

    def name_of(number: float) -> str:
        return names[sum(number >= border for border in borders)]

    rows = dict.fromkeys(names, 0)
    for number, count in counts.items():
        rows[name_of(number)] += count
    rows = {name: round(count * filled / max(1, total)) for name, count in rows.items()}
    ordered = len(names) > 2
    if keyed is not None:
        labels: dict[str, str | None] = {key: name_of(number) for key, number in keyed.items()}
        return Labels(names, ordered, labels, rows, doubts=(doubt,))
    labels = {str(place): name for place, name in enumerate(names, 1)}
    return Labels(names, ordered, labels, rows, tuple(borders), (doubt,))


def _quantiles(counts: Mapping[float, int], parts: int) -> list[float]:
    """Return borders, each one of the numbers, so that the parts have about as many rows."""
    found, total = sorted(counts), sum(counts.values())
    below, done = [], 0
    for number in found:
        below.append(done / total)
        done += counts[number]
    borders = []
    for part in range(1, parts):
        best = min(range(1, len(found)), key=lambda place: abs(below[place] - part / parts))
        borders.append(found[best])
    return sorted(set(borders))


# What every proposal needs


def _finished(column: Column, proposed: Labels, without: Mapping[str, int]) -> Labels:
    """Add the values that are no label, and drop classes with too few rows."""
    labels, doubts = dict(proposed.labels), list(proposed.doubts)
    blank = column.rows - column.filled
    missing = dict(without) | ({"": blank} if blank else {})
    if missing and not proposed.bands:
        labels |= dict.fromkeys(missing)
    elif proposed.bands and blank:
        labels[""] = None
    for key, rows in missing.items():
        what = "an empty label" if not key else f"the label {shorten(key)}"
        doubts.append(
            Doubt("classes", f"{counted(rows, 'row')} with {what}: null, which drops them")
        )
    few = [name for name in proposed.names if proposed.rows[name] < FEWEST]
    names = tuple(name for name in proposed.names if name not in few)
    for name in few:
        doubts.append(
            Doubt(
                "classes",
                f"{shorten(name)} has only {counted(proposed.rows[name], 'row')}, too few for a "
                f"class ({FEWEST}): null, which drops them",
            )
        )
    if len(names) < 2:
        found = ", ".join(f"{name!r} ({number:,})" for name, number in proposed.rows.items())
        raise SourceError(
            f"column {column.name!r} has no two labels with {FEWEST} rows: {found or 'none'}. "
            "Name another column with --label, or collect more rows"
        )
    labels = {key: None if name in few else name for key, name in labels.items()}
    kept = {name: proposed.rows[name] for name in names}
    ordered = proposed.ordered and len(names) > 2
    return Labels(names, ordered, labels, kept, proposed.bands, tuple(doubts))


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(map(str, keys))
