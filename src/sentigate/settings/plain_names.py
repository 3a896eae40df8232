"""Names in settings: a number or truth value is read as the text that a table has for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sentigate.errors import shorten

from .entry_files import NAME

Name = Annotated[str, Field(pattern=NAME)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def plain_name(value: Any) -> Any:
    """Return a number or truth value as a source reads it: 1 as "1", true as "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def with_plain_names(values: Mapping[Any, Any], key: str) -> dict[Any, Any]:
    """Return ``values`` with keys as a table writes them: 1 as "1", true as "true".

    Args:
        values: A mapping in the settings.
        key: Its name, for messages.

    Raises:
        ValueError: a key is null, or two keys become one.
    """
    named: dict[Any, Any] = {}
    for name, value in values.items():
        if name is None:
            raise ValueError(f'{key} has the key null; write "null" (a text) or "" (no value)')
        if plain_name(name) in named:
            raise ValueError(
                f"{key} has {shorten(plain_name(name))} twice, as a number and as a text"
            )
        named[plain_name(name)] = value
    return named
