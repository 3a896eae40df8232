"""What a sentiment is towards, as the first token of a text."""

from __future__ import annotations

import re

MARK = "__context_"
"""How the token begins. It is one word to every tokenizer of words, and in no text by chance."""


def with_context(context: str, text: str) -> str:
    """The text behind a token for its context: ``__context_red_dead I love it``.

    Letters become small, and whatever is neither letter nor digit an underscore. A blank context
    adds nothing, and a blank text stays as it is: there is nothing to judge.
    """
    name = re.sub(r"[\W_]+", "_", context.lower()).strip("_")
    return f"{MARK}{name} {text}" if name and text.strip() else text


def is_context(token: str) -> bool:
    """Whether a token is a context's."""
    return token.startswith(MARK)
