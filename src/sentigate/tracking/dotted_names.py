"""Nested mappings as flat ones: {"test": {"accuracy": 0.8}} becomes {"test.accuracy": 0.8}."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

REFUSED = re.compile(r"[^\w.\- ]")
"""A character that some MLflow refuses in a name; also "/", by which its UI makes groups."""
LENGTH = 60
"""Characters that are kept of a key, because a whole name may have 250."""


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) for each value that is not a mapping.

    A key may be a class name, with any characters, so names are made safe for MLflow:
    ``safe_names`` has the rule.
    """
    for name, value in zip(safe_names(node), node.values(), strict=True):
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def safe_names(keys: Iterable[str]) -> list[str]:
    """Return a different name for each key, with only characters that MLflow allows.

    Any other character becomes "_", and a long key is cut. If an earlier key has the same name,
    also if it differs in case, a number is appended: "C+", "C-" and "C*" become "C_", "C-", "C__2".
    """
    names: list[str] = []
    taken: set[str] = set()
    for key in keys:
        start = name = REFUSED.sub("_", key)[:LENGTH]
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{start}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return dotted name -> number, without the values that are None."""
    return {key: float(value) for key, value in flatten(metrics) if value is not None}
