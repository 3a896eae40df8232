"""How many tokens of a text the network reads, and what it leaves unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from sentigate.model.text.encoding import Texts, encode_texts, in_chunks

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Counts = npt.NDArray[np.int64]

AUTO_SHARE = 0.95
"""Of the training texts, which ``auto`` lets the network read whole."""
AUTO_STEP, AUTO_MOST = 32, 400
"""``auto`` is a multiple of the first and no more than the second: what an LSTM costs grows with
the longest text, and few texts say more after 400 tokens."""


def resolve_max_length(
    max_length: int | Literal["auto"], tokenizer: Tokenizer, training: Texts
) -> int:
    """Tokens of a text that the network reads, at most.

    Args:
        max_length: ``max_length`` of the model.
        tokenizer: of the model.
        training: the cleaned training texts.
    """
    if max_length != "auto":
        return max_length
    chunks = [np.diff(encode_texts(tokenizer, chunk).offsets) for chunk in in_chunks(training)]
    counts = np.concatenate(chunks)
    enough = int(np.quantile(counts, AUTO_SHARE, method="inverted_cdf")) if len(counts) else 1
    return min(-(-enough // AUTO_STEP) * AUTO_STEP, AUTO_MOST)


def unread_characters(
    tokenizer: Tokenizer, texts: Texts, counts: Counts, max_length: int
) -> Counts:
    """How many characters of each text follow its last token that is read: (texts,) int64.

    Args:
        tokenizer: of the model.
        texts: cleaned texts.
        counts: (texts,), the tokens of each.
        max_length: tokens read, at most.
    """
    unread = np.zeros(len(counts), dtype=np.int64)
    for row in np.flatnonzero(counts > max_length):
        text = texts.iloc[row] if hasattr(texts, "iloc") else texts[row]
        _, end = tokenizer.encode(text).offsets[max_length - 1]
        unread[row] = len(text) - end
    return unread
