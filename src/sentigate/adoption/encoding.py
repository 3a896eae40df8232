"""How sure a guessed encoding is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentigate.data.languages import LANGUAGES
from sentigate.tables.encodings import EncodingGuess

from .doubt import Doubt

ALIKE = 0.05
"""Encodings whose shares of odd characters differ by less look alike."""
USUAL: dict[str, tuple[str, ...]] = {
    "af ca da de en es eu fi fr ga gl id is it nl no pt sq sv sw tl": (
        "cp1252",
        "latin-1",
        "iso8859-15",
    ),
    "cs hr hu pl ro sk sl": ("cp1250", "iso8859-2"),
    "be bg mk ru sr uk": ("cp1251",),
    "az tr": ("cp1254",),
    "ar fa ur": ("cp1256",),
    "el": ("cp1253",),
    "he": ("cp1255",),
    "ja": ("shift_jis",),
    "ko": ("euc_kr",),
    "zh": ("gb18030",),
}
"""Languages -> encodings of Windows and the web that are usual for it, besides UTF-8."""


def encoding_doubt(guesses: Sequence[EncodingGuess], languages: Mapping[str, float]) -> list[Doubt]:
    """Return what to say about a guessed encoding; nothing if it is certain.

    A guess has to be confirmed if another reads the file as well, unless it is the usual one for
    the language of the texts: a Latin-1 file of French could be cp1250 by its characters alone.

    Args:
        guesses: Encodings that the file may have, the likeliest first.
        languages: ISO 639-1 code -> share of the texts, as read with the likeliest.
    """
    if not guesses:
        return []
    best, *others = guesses
    language = next(filter(None, languages), "")
    usual = next((names for codes, names in USUAL.items() if language in codes.split()), ())
    is_usual = bool({best.encoding, *best.same} & set(usual))
    said = (
        f"the file does not say its encoding. {best.encoding} reads it with "
        f"{best.odd:.0%} odd letters among those beyond ASCII"
    )
    if is_usual:
        said += f" and is usual for {LANGUAGES[language]}"
    alike = [guess for guess in others if guess.odd <= best.odd + ALIKE]
    if alike:
        said += f"; {' and '.join(guess.encoding for guess in alike)} would fit as well"
    names = tuple(guess.encoding for guess in others)
    must_choose = bool(alike) and not is_usual
    return [Doubt("encoding", said, best.encoding, names, must_choose, best.lines)]
