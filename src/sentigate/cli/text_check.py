"""Texts from the command line."""

from __future__ import annotations

from sentigate.errors import DataError, shorten


def check_text(text: str) -> str:
    """The text.

    Raises:
        DataError: it is not valid UTF-8, which Python passes on in surrogates.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"the text {shorten(text)} is not valid UTF-8") from None
    return text
