"""The contexts of a text, such as a product's name, as the first tokens of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MARK = "__context_"
"""Prefix of the token. Word tokenizers keep the token whole, and no text has it by chance."""


def with_context(context: str, text: str) -> str:
    """Put a token for the context before the text: ``__context_red_dead I love it``.

    The token has small letters. Each run of other characters than letters and digits becomes one
    underscore. A blank context adds no token. Nor does a blank text get one, because it has nothing
    to judge.
    """
    name = _plain(context)
    return f"{MARK}{name} {text}" if name and text.strip() else text


def with_contexts(columns: Sequence[str], contexts: Sequence[str], text: str) -> str:
    """Put a token for each context before the text, by the rules of ``with_context``.

    Of several columns, a token names its column too, so that equal values of two columns differ:
    ``__context_brand__acme __context_shop__acme I love it``.
    """
    if len(columns) == 1:
        return with_context(contexts[0], text)
    if not text.strip():
        return text
    named = zip(columns, map(_plain, contexts), strict=True)
    return "".join(f"{MARK}{_plain(column)}__{name} " for column, name in named if name) + text


@lru_cache(maxsize=4096)  # a table has few contexts and many rows
def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def is_context(token: str) -> bool:
    """Return whether a token stands for a context."""
    return token.startswith(MARK)
