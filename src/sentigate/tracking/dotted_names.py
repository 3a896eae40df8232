"""Nested mappings as flat ones: {"test": {"accuracy": 0.8}} becomes {"test.accuracy": 0.8}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) for each value that is not a mapping."""
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return dotted name -> number, without the values that are None."""
    return {key: float(value) for key, value in flatten(metrics) if value is not None}
