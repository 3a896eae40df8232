"""The cleaning switches of a data set, in params.yaml and in a registered model.

They are not in cleaning.py, so that a change to a step reruns only the stages that clean.
"""

from __future__ import annotations

from ..strict_model import StrictModel


class CleaningSteps(StrictModel):
    """The cleaning steps of a data set. They run in the order of the fields."""

    normalize_unicode: bool = False
    """NFKC: full-width, ligature and styled letters become plain letters. Each apostrophe and quote
    becomes a straight one, each dash "-", each ellipsis "...", also in misread UTF-8. Soft hyphens,
    direction marks and joiners within words are removed; joiners within emoji stay. The characters
    of HTML entities are treated in the same way."""
    remove_html: bool = False
    """Tags and comments become a space. Entities, also escaped twice, become their character."""
    remove_links: bool = False
    remove_mentions: bool = False
    """``@name``."""
    lowercase: bool = False
    remove_stop_words: bool = False
    """scikit-learn's English list. It has "not" and "no", so this step lowers the accuracy."""
    letters_only: bool = False
    """Every character except the letters a-z becomes a space."""
    squeeze_whitespace: bool = False
    """Each run of white space becomes one space; both ends are trimmed."""
