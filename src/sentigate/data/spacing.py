"""Whether spaces part the words of texts, as they do in English and do not in Chinese or Thai."""

from __future__ import annotations

import re
from typing import NamedTuple

from sentigate.model.text.encoding import Texts

LOOKED_AT = 2000
"""Texts, evenly spread over all; so many are read in milliseconds."""
MOST, MOST_WITHOUT_SPACES = 20.0, 6.0
"""Characters between white space, on average, of texts that spaces part into words. Their languages
have 5 to 8. A word of Chinese, Japanese or Thai has 1 to 5, where somebody has parted the words."""
LONGEST_PIECE = 100
"""Characters that one piece counts for at most: what a program has encoded has thousands."""
# Thai, Lao, Tibetan, Burmese, Khmer, kana, and Chinese characters.
WITHOUT_SPACES = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Spacing(NamedTuple):
    """How far apart the white space of texts is.

    Attributes:
        characters: between white space, on average, each piece counted as LONGEST_PIECE at most;
            0 where there is nothing else.
        most: so many are a word.
    """

    characters: float
    most: float

    @property
    def parts_words(self) -> bool:
        """Whether spaces part the words."""
        return self.characters <= self.most


def spacing(texts: Texts) -> Spacing:
    """The spacing of texts, as far as a sample shows it."""
    pieces = length = characters = without = 0
    for text in texts[:: max(1, len(texts) // LOOKED_AT)]:
        found = text.split()
        pieces += len(found)
        length += sum(min(len(piece), LONGEST_PIECE) for piece in found)
        characters += sum(map(len, found))
        without += 0 if text.isascii() else len(WITHOUT_SPACES.findall(text))
    most = MOST_WITHOUT_SPACES if 2 * without > characters else MOST
    return Spacing(length / max(1, pieces), most)
