"""Text cleaning.

The same code runs in the clean stage and inside the registered model, so what the model was
trained on and what it is served never differ.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from .cleaning_steps import CleaningSteps

# "Awwww...so sweet" is not a link; "herehttps://t.co/x" ends in one.
LINK = re.compile(r"(?:https?://|(?<!\w)www\.(?=\w)|pic\.twitter\.com/)\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<!\w)@\w+")
# Neither runs past the next opening, so that many that never close take no longer to look for.
TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
WORD = re.compile(r"\w+(?:['’]\w+)*")
NOT_LETTER = re.compile(r"[^a-z ]", re.IGNORECASE)
SPACE = re.compile(r"\s+")


def _remove_html(text: str) -> str:
    return html.unescape(TAG.sub(" ", text)) if "<" in text or "&" in text else text


def _stop_word_remover() -> Callable[[str], str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    def space_or_word(match: re.Match[str]) -> str:
        return " " if match[0].lower() in ENGLISH_STOP_WORDS else match[0]

    return lambda text: WORD.sub(space_or_word, text)


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
