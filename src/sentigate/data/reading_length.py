"""How many tokens of a text the network reads, and what it leaves unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sentigate.model.text.encoding import Texts, encode_texts, in_chunks
from sentigate.settings.model import FirstAndLast, MaxLength

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Counts = npt.NDArray[np.int64]

AUTO_SHARE = 0.95
"""Of the training texts, which ``auto`` lets the network read whole."""
AUTO_STEP, AUTO_MOST = 32, 400
"""``auto`` is a multiple of the first and no more than the second: what an LSTM costs grows with
the longest text, and few texts say more after 400 tokens."""


class Reading(NamedTuple):
    """What the network reads of a text.

    Attributes:
        max_length: tokens at most.
        last: how many of them are the last ones of a longer text; the others are its first.
    """

    max_length: int
    last: int = 0


def resolve_reading(max_length: MaxLength, tokenizer: Tokenizer, training: Texts) -> Reading:
    """What a model's ``max_length`` comes to.

    Args:
        max_length: of the model.
        tokenizer: of the model.
        training: the cleaned training texts.
    """
    if isinstance(max_length, FirstAndLast):
        return Reading(max_length.first + max_length.last, max_length.last)
    if max_length != "auto":
        return Reading(max_length)
    chunks = [np.diff(encode_texts(tokenizer, chunk).offsets) for chunk in in_chunks(training)]
    counts = np.concatenate(chunks)
    enough = int(np.quantile(counts, AUTO_SHARE, method="inverted_cdf")) if len(counts) else 1
    return Reading(min(-(-enough // AUTO_STEP) * AUTO_STEP, AUTO_MOST))


def unread_characters(
    tokenizer: Tokenizer, texts: pd.Series[str], counts: Counts, reading: Reading
) -> Counts:
    """How many characters of each text lie beyond the tokens that are read: (texts,) int64.

    Args:
        tokenizer: of the model.
        texts: cleaned texts.
        counts: (texts,), the tokens of each.
        reading: what is read.
    """
    unread = np.zeros(len(counts), dtype=np.int64)
    first = reading.max_length - reading.last
    for row in np.flatnonzero(counts > reading.max_length).tolist():
        text = texts.iloc[row]
        offsets = tokenizer.encode(text).offsets
        _, begin = offsets[first - 1]
        end = offsets[-reading.last][0] if reading.last else len(text)
        unread[row] = max(0, end - begin)
    return unread
