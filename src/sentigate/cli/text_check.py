"""Texts from the command line."""

from __future__ import annotations

from sentigate.errors import DataError, shorten


def check_text(text: str) -> str:
    """Return the text.

    Raises:
        DataError: the argument was not valid UTF-8; Python encodes such bytes as surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"the text {shorten(text)} is not valid UTF-8") from None
    return text
