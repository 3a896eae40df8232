"""What a text is about, put before it, so that a model can judge the text towards that."""

from __future__ import annotations

from collections.abc import Sequence


def with_context(contexts: Sequence[str], text: str) -> str:
    """``contexts`` and ``text`` with colons between: "Nintendo: I love it".

    A blank context is passed over, and a blank text stays as it is: there is nothing to judge.
    """
    if not text.strip():
        return text
    return ": ".join([*filter(None, map(str.strip, contexts)), text])
