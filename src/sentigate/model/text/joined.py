"""The text of a row whose text is in several columns, such as a title and a body."""

from __future__ import annotations

from collections.abc import Sequence


def joined(parts: Sequence[str]) -> str:
    """Join the parts with one blank; a blank part adds nothing. A single part stays as it is."""
    return parts[0] if len(parts) == 1 else " ".join(part for part in parts if part.strip())
