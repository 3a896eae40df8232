"""Whether spaces separate the words of texts: they do in English, not in Chinese or Thai."""

from __future__ import annotations

import re
from typing import NamedTuple

from sentigate.model.text.encoding import Texts

LOOKED_AT = 2000
"""Size of the sample, spread evenly over the texts. Reading it takes milliseconds."""
MOST, MOST_WITHOUT_SPACES = 20.0, 6.0
"""Largest mean number of characters between white space if spaces separate the words. Languages
with spaces have 5 to 8. Words of Chinese, Japanese or Thai have 1 to 5, when the text was split
into words; MOST_WITHOUT_SPACES holds for these scripts."""
LONGEST_PIECE = 100
"""Largest number of characters that one piece counts for: encoded data may have thousands."""
# Thai, Lao, Tibetan, Burmese, Khmer, kana, and Chinese characters.
WITHOUT_SPACES = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Spacing(NamedTuple):
    """How far apart the white space of texts is.

    Attributes:
        characters: Mean number of characters between white space, each piece counted as
            LONGEST_PIECE at most; 0 if the texts have only white space.
        most: Largest mean at which spaces still separate words, for the script of the texts.
    """

    characters: float
    most: float

    @property
    def parts_words(self) -> bool:
        """Whether spaces separate the words."""
        return self.characters <= self.most


def spacing(texts: Texts) -> Spacing:
    """Estimate the spacing of texts from a sample."""
    pieces = length = characters = without = 0
    for text in texts[:: max(1, len(texts) // LOOKED_AT)]:
        found = text.split()
        pieces += len(found)
        length += sum(min(len(piece), LONGEST_PIECE) for piece in found)
        characters += sum(map(len, found))
        without += 0 if text.isascii() else len(WITHOUT_SPACES.findall(text))
    most = MOST_WITHOUT_SPACES if 2 * without > characters else MOST
    return Spacing(length / max(1, pieces), most)
