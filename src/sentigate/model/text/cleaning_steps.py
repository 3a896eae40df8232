"""The cleaning switches of a data set, as params.yaml and a registered model hold them.

Apart from cleaning.py so that a change of how a step works reruns only the stages that clean.
"""

from __future__ import annotations

from ..strict_model import StrictModel


class CleaningSteps(StrictModel):
    """Which cleaning steps a data set gets; they run in the order of the fields."""

    normalize_unicode: bool = False
    """NFKC: full-width, ligature and styled letters become plain ones. Every apostrophe and quote
    becomes a straight one, every dash "-", an ellipsis "...", also in UTF-8 that was misread; soft
    hyphens, marks of direction and joiners within words go, those within emoji stay. What entities
    stand for gets the same."""
    remove_html: bool = False
    """Tags and comments become a space, entities their character, also those escaped twice."""
    remove_links: bool = False
    remove_mentions: bool = False
    """``@name``."""
    lowercase: bool = False
    remove_stop_words: bool = False
    """scikit-learn's English list. It holds "not" and "no", so it costs accuracy on sentiment."""
    letters_only: bool = False
    """Everything but a-z and white space becomes a space."""
    squeeze_whitespace: bool = False
    """Runs of white space become one space; ends are trimmed."""
