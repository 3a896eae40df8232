"""Text cleaning.

The clean stage and the registered model run the same code, so that training and prediction clean
texts in the same way.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from .cleaning_steps import CleaningSteps
from .one_form import one_form

# "Awwww...so sweet" is not a link; "herehttps://t.co/x" ends with a link.
LINK = re.compile(r"(?:https?://|(?<!\w)www\.(?=\w)|pic\.twitter\.com/)\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<!\w)@\w+")
# No match runs past the next opening sign. So a text with many unclosed tags takes no longer.
HTML_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
# A program that escapes a text a second time turns "&#39;" into "&amp;#39;".
ESCAPED_AGAIN = re.compile(r"&(?:(?:amp|#38|#x26);)+(?=#?\w+;)", re.IGNORECASE)
# HTML requires the semicolon here; people leave it out.
UNENDED = re.compile(r"&([lr][sd]quo|apos|[nm]dash|hellip)(?!;)")
WORD = re.compile(r"\w+(?:['’]\w+)*")
NOT_LETTER = re.compile(r"[^a-z ]", re.IGNORECASE)


# A pattern is tried at every character. Each function first looks for a string that every match
# contains: this takes a tenth of the time.


def _remove_html(text: str) -> str:
    if "<" in text:
        text = HTML_TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(UNENDED.sub(r"&\1;", ESCAPED_AGAIN.sub("&", text)))
    return text


def _remove_html_from_one_form(text: str) -> str:
    plain = _remove_html(text)
    return one_form(plain) if "&" in text else plain  # for any character of an entity


def _remove_links(text: str) -> str:
    lowered = text.lower()
    held = "://" in text or "www." in lowered or ".com/" in lowered
    return LINK.sub(" ", text) if held else text


def _remove_mentions(text: str) -> str:
    return MENTION.sub(" ", text) if "@" in text else text


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _stop_word_remover() -> Callable[[str], str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    def space_or_word(match: re.Match[str]) -> str:
        return " " if match[0].lower() in ENGLISH_STOP_WORDS else match[0]

    return lambda text: WORD.sub(space_or_word, text)


def make_cleaner(steps: CleaningSteps) -> Callable[[str], str]:
    """Return a function that applies ``steps``, in their order, to one text."""
    functions: list[Callable[[str], str]] = []
    if steps.normalize_unicode:
        functions.append(one_form)
    if steps.remove_html:
        one = steps.normalize_unicode
        functions.append(_remove_html_from_one_form if one else _remove_html)
    if steps.remove_links:
        functions.append(_remove_links)
    if steps.remove_mentions:
        functions.append(_remove_mentions)
    if steps.lowercase:
        functions.append(str.lower)
    if steps.remove_stop_words:
        functions.append(_stop_word_remover())
    if steps.letters_only:
        functions.append(lambda text: NOT_LETTER.sub(" ", text))
    if steps.squeeze_whitespace:
        functions.append(_squeeze)

    def clean(text: str) -> str:
        for function in functions:
            text = function(text)
        return text

    return clean
