"""What is said beside an answer: that the text is cut, or holds nothing to go by."""

from __future__ import annotations

NOTHING, CUT = "nothing to go by", "cut"
"""The kinds of note. A text may have one of each: "KIND: what; KIND: what"."""
EMPTY = f"{NOTHING}: the text is empty once cleaned"
NO_KNOWN_WORD = f"{NOTHING}: no word or sign that the model knows"


def kinds_of(note: str) -> list[str]:
    """The kinds of a text's note, which is "" where nothing is to be said."""
    return [part.partition(":")[0] for part in note.split("; ")] if note else []
