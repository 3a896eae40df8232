"""Write an entry of datasets/ as commented YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentigate.settings.yaml_file import flow_mapping, flow_scalar, flow_sequence

COMMENT_COLUMN = 32
FLOW_WIDTH = 100
"""A longer mapping or sequence has one line for each item."""
NOTES = {
    "source.path": "keep files in this folder, where DVC notices changes",
    "source.name": "models are registered as sentigate-NAME",
    "source.sha256": "another file is refused",
    "source.encoding": "the file is not UTF-8",
    "source.no_header": "columns are named by their numbers",
    "source.plain_quotes": "a double quote is only a character",
    "source.bands": "scores are cut here; the sentiments are then 1, 2, ...",
    "source.group_column": "rows that stay in one split",
    "source.slice_column": "figures are reported for each value",
    "source.context_column": "what a sentiment is towards",
    "source.date_column": "for split.rule by_time",
    "source.fold_column": "the split is the published one",
    "classes.ordered": "a scale, from the worst to the best",
    "labels": "every label of the file; null drops its rows",
    "clean.steps.remove_mentions": "a user's name has no sentiment",
    "clean.drop_duplicates": "otherwise a repeated text counts twice",
    "clean.drop_conflicts": "a model learns nothing from a text with several labels",
    "clean.min_class_share": "lower than for other data sets: a class is rare",
    "split.stratify": "the same share of each class in every split",
    "split.validation_size": "share of the rows that are not test",
    "split.near_duplicates": "texts with nearly the same words stay in one split",
}
"""Dotted key -> comment."""


_PATH = re.compile(r"[A-Za-z_][\w.-]*(/[\w.-]*\w)+", re.ASCII)
"""Paths that need no quotes."""


def entry_text(head: Sequence[str], values: Mapping[str, Any], notes: Mapping[str, str]) -> str:
    """Return the YAML of an entry.

    Args:
        head: Comments before the entry, a line each.
        values: The entry, as nested plain values.
        notes: Dotted key -> comment, besides ``NOTES``.
    """
    lines = [f"# {line}".rstrip() for line in head]
    for key, value in values.items():
        lines += _lines(key, value, "", 0, {**NOTES, **notes})
    return "\n".join(lines) + "\n"


def _lines(key: str, value: Any, place: str, depth: int, notes: Mapping[str, str]) -> Iterator[str]:
    dotted = f"{place}.{key}" if place else key
    start = f"{'  ' * depth}{flow_scalar(key)}:"
    flow = _flow(value)
    if isinstance(value, Mapping) and value and (dotted not in _FLOW or _is_wide(start, flow)):
        yield _commented(start, notes.get(dotted))
        for inner, each in value.items():
            yield from _lines(inner, each, dotted, depth + 1, notes)
    elif isinstance(value, Sequence) and not isinstance(value, str) and _is_wide(start, flow):
        yield _commented(start, notes.get(dotted))
        for each in value:
            yield f"{'  ' * depth}- {_flow(each)}"
    else:
        yield _commented(f"{start} {flow}", notes.get(dotted))


_FLOW = ("classes", "labels", "gates", "source.folds")


def _is_wide(start: str, flow: str) -> bool:
    return len(start) + 1 + len(flow) > FLOW_WIDTH


def _commented(line: str, note: str | None) -> str:
    return f"{line:<{COMMENT_COLUMN - 2}}  # {note}" if note else line


def _flow(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str() if _PATH.fullmatch(value):
            return value
        case str() | None:
            return flow_scalar(value)
        case Mapping():
            if all(isinstance(each, str | None) for each in value.values()):
                return flow_mapping(value)
            items = (f"{flow_scalar(key)}: {_flow(each)}" for key, each in value.items())
            return "{" + ", ".join(items) + "}"
        case _:
            if all(isinstance(each, str) for each in value):
                return flow_sequence(value)
            return "[" + ", ".join(map(_flow, value)) + "]"
