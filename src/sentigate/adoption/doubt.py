"""What adopt was not sure of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """A choice that could also be another, or a fact to know before training.

    Attributes:
        about: What the choice is about, such as ``label``: the key of ``Choices``.
        said: What was found, and what is proposed.
        proposed: The proposed answer; "" if there is nothing to ask.
        others: The other answers that make sense; empty if there is nothing to ask.
        must_choose: Whether the proposal is no more than one of several, so that it is not taken
            without an answer.
        lines: Lines of the file that show what the choice changes.
    """

    about: str
    said: str
    proposed: str = ""
    others: tuple[str, ...] = ()
    must_choose: bool = False
    lines: tuple[str, ...] = ()
