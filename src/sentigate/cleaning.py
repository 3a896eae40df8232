"""Text cleaning: the switches of a data set, and the function that applies them.

The same code runs in the clean stage and inside the registered model, so what the model was
trained on and what it is served never differ.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from .section import Section

LINK = re.compile(r"(?:https?://|www\.|pic\.twitter\.com/)\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<!\w)@\w+")
TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
NOT_LETTER = re.compile(r"[^a-z ]", re.IGNORECASE)
SPACE = re.compile(r"\s+")


class CleaningSteps(Section):
    """Which cleaning steps a data set gets; they run in the order of the fields."""

    normalize_unicode: bool = False
    """NFKC: full-width, ligature and styled letters become plain ones."""
    remove_html: bool = False
    """Tags and comments become a space, entities their character."""
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


def _remove_html(text: str) -> str:
    return html.unescape(TAG.sub(" ", text)) if "<" in text or "&" in text else text


def _stop_word_remover() -> Callable[[str], str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    def remove(text: str) -> str:
        return " ".join(word for word in text.split() if word.lower() not in ENGLISH_STOP_WORDS)

    return remove


def make_cleaner(steps: CleaningSteps) -> Callable[[str], str]:
    """The function that applies ``steps``, in their order, to one text."""
    functions: list[Callable[[str], str]] = []
    if steps.normalize_unicode:
        functions.append(lambda text: unicodedata.normalize("NFKC", text))
    if steps.remove_html:
        functions.append(_remove_html)
    if steps.remove_links:
        functions.append(lambda text: LINK.sub(" ", text))
    if steps.remove_mentions:
        functions.append(lambda text: MENTION.sub(" ", text))
    if steps.lowercase:
        functions.append(str.lower)
    if steps.remove_stop_words:
        functions.append(_stop_word_remover())
    if steps.letters_only:
        functions.append(lambda text: NOT_LETTER.sub(" ", text))
    if steps.squeeze_whitespace:
        functions.append(lambda text: SPACE.sub(" ", text).strip())

    def clean(text: str) -> str:
        for function in functions:
            text = function(text)
        return text

    return clean
