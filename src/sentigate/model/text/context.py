"""The context of a text, such as a product's name, as the first token of the text."""

from __future__ import annotations

import re

MARK = "__context_"
"""Prefix of the token. Word tokenizers keep the token whole, and no text has it by chance."""


def with_context(context: str, text: str) -> str:
    """Put a token for the context before the text: ``__context_red_dead I love it``.

    The token has small letters. Each run of other characters than letters and digits becomes one
    underscore. A blank context adds no token. Nor does a blank text get one, because it has nothing
    to judge.
    """
    name = re.sub(r"[\W_]+", "_", context.lower()).strip("_")
    return f"{MARK}{name} {text}" if name and text.strip() else text


def is_context(token: str) -> bool:
    """Return whether a token stands for a context."""
    return token.startswith(MARK)
