"""How many tokens of a text the network reads, and how many characters it does not read."""

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
"""Share of the training texts that the network reads whole with ``auto``."""
AUTO_STEP, AUTO_MOST = 32, 400
"""``auto`` is a multiple of AUTO_STEP and at most AUTO_MOST. The cost of an LSTM grows with the
longest text, and few texts add anything after 400 tokens."""


class Reading(NamedTuple):
    """Which tokens of a text the network reads.

    Attributes:
        max_length: Largest number of tokens.
        last: How many of these come from the end of a longer text; the others are its first.
    """

    max_length: int
    last: int = 0


def resolve_reading(max_length: MaxLength, tokenizer: Tokenizer, training: Texts) -> Reading:
    """Return the reading that a model's ``max_length`` means for these training texts.

    Args:
        max_length: The model's setting.
        tokenizer: The model's tokenizer.
        training: Cleaned training texts.
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
    """Count the characters of each text that the network does not read.

    Args:
        tokenizer: The model's tokenizer.
        texts: Cleaned texts.
        counts: (texts,) int64, number of tokens of each text.
        reading: Which tokens the network reads.

    Returns:
        (texts,) int64.
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
