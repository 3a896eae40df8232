"""Notes on an answer: the text was cut, or it has nothing to judge."""

from __future__ import annotations

NOTHING, CUT = "nothing to go by", "cut"
"""The kinds of notes. A text may have one note of each kind: "KIND: text; KIND: text"."""
EMPTY = f"{NOTHING}: the text is empty once cleaned"
NO_KNOWN_WORD = f"{NOTHING}: no word or sign that the model knows"


def kinds_of(note: str) -> list[str]:
    """Return the kinds in the notes of a text; ``note`` is "" for a text without notes."""
    return [part.partition(":")[0] for part in note.split("; ")] if note else []
