"""From texts to a padded matrix of token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Where vocabulary.py puts its two special entries.
PAD_ID, UNKNOWN_ID = 0, 1
# Texts encoded at a time: enough to occupy all cores, few enough to keep memory flat.
CHUNK = 2048


class Padded(NamedTuple):
    """Token ids of some texts.

    Attributes:
        ids: (rows, max_length), uint16 or, for more than 65,536 entries, int32; 0 after the text.
        lengths: (rows,) int32, tokens before the padding, at least 1.
    """

    ids: npt.NDArray[Any]
    lengths: npt.NDArray[np.int32]


def pad_texts(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> Padded:
    """Encode ``texts``, cut to ``max_length`` tokens, pad on the right.

    A text without any token (white space, at word level) becomes one unknown token, so that no
    length is 0.
    """
    dtype = np.uint16 if tokenizer.get_vocab_size() <= 2**16 else np.int32
    ids = np.full((len(texts), max_length), PAD_ID, dtype=dtype)
    lengths = np.empty(len(texts), dtype=np.int32)
    for start in range(0, len(texts), CHUNK):
        encodings = tokenizer.encode_batch_fast(texts[start : start + CHUNK])
        for row, encoding in enumerate(encodings, start):
            tokens = encoding.ids[:max_length] or [UNKNOWN_ID]
            ids[row, : len(tokens)] = tokens
            lengths[row] = len(tokens)
    return Padded(ids, lengths)


def padding_checks(padded: Padded) -> pd.DataFrame:
    """What the gate looks at in every row.

    Returns:
        Columns length, tokens (ids that are not padding), largest_id (int) and unknown_share
        (float, of the text's tokens).
    """
    return pd.DataFrame(
        {
            "length": padded.lengths,
            "tokens": (padded.ids != PAD_ID).sum(axis=1),
            "largest_id": padded.ids.max(axis=1, initial=0).astype(np.int64),
            "unknown_share": (padded.ids == UNKNOWN_ID).sum(axis=1) / padded.lengths,
        }
    )
