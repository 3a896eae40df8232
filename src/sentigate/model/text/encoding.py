"""From texts to a padded matrix of token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Ids of the two special entries that vocabulary.py adds.
PAD_ID, UNKNOWN_ID = 0, 1
# Number of texts encoded at a time: enough to use all cores, few enough to keep memory flat.
CHUNK = 2048

Texts = Sequence[str] | pd.Series
"""A list, or an Arrow column, of which only one chunk at a time becomes Python objects."""


class Encoded(NamedTuple):
    """Token ids of whole texts, one text after another.

    Attributes:
        ids: (tokens,) int64.
        offsets: (rows + 1,) int64, start of each text, then the end of the last text.
    """

    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


class Padded(NamedTuple):
    """Token ids of texts, cut and padded to one length.

    Attributes:
        ids: (rows, max_length), uint16 or, for more than 65,536 entries, int32; 0 after the text.
        lengths: (rows,) int32, tokens before the padding, at least 1.
    """

    ids: npt.NDArray[Any]
    lengths: npt.NDArray[np.int32]


def in_chunks(texts: Texts) -> Iterator[list[str]]:
    """Yield ``texts`` in chunks of at most CHUNK; at least one chunk, which may be empty."""
    for start in range(0, max(1, len(texts)), CHUNK):
        yield list(texts[start : start + CHUNK])


def pad_texts(tokenizer: Tokenizer, texts: Texts, max_length: int, last: int = 0) -> Padded:
    """Apply ``encode_texts`` and ``pad``, a chunk at a time."""
    size = tokenizer.get_vocab_size()
    chunks = [
        pad(encode_texts(tokenizer, each), max_length, size, last) for each in in_chunks(texts)
    ]
    return Padded(*(np.concatenate(arrays) for arrays in zip(*chunks, strict=True)))


def encode_texts(tokenizer: Tokenizer, texts: Texts) -> Encoded:
    """Return the token ids of ``texts``.

    A text without any token (such as white space, at word level) becomes one unknown token, so that
    no text is empty.
    """
    ids, lengths = [], [0]
    for chunk in in_chunks(texts):
        rows = [each.ids or [UNKNOWN_ID] for each in tokenizer.encode_batch_fast(chunk)]
        ids.append(np.fromiter(chain.from_iterable(rows), np.int64))
        lengths += map(len, rows)
    return Encoded(np.concatenate(ids), np.cumsum(lengths, dtype=np.int64))


def read_places(count: int, max_length: int, last: int = 0) -> npt.NDArray[np.int64]:
    """Return the indices, (read,) int64, of the tokens that the network reads of ``count``."""
    places = np.arange(min(count, max_length))
    places[max(0, max_length - last) :] += max(0, count - max_length)
    return places


def pad(encoded: Encoded, max_length: int, vocabulary_size: int, last: int = 0) -> Padded:
    """Cut each text to ``max_length`` tokens, and pad it on the right.

    A longer text keeps its first ``max_length - last`` tokens and its last ``last`` tokens.
    """
    dtype = np.uint16 if vocabulary_size <= 2**16 else np.int32
    lengths = np.minimum(np.diff(encoded.offsets), max_length)
    inside = np.arange(max_length) < lengths[:, None]
    places = encoded.offsets[:-1, None] + np.arange(max_length)
    if last:
        cut_off = np.maximum(np.diff(encoded.offsets) - max_length, 0)
        places[:, max_length - last :] += cut_off[:, None]
    ids = np.full(inside.shape, PAD_ID, dtype=dtype)
    ids[inside] = encoded.ids[places[inside]]
    return Padded(ids, lengths.astype(np.int32))


def write_padded(
    tokenizer: Tokenizer, texts: Texts, max_length: int, folder: Path, last: int = 0
) -> npt.NDArray[np.int64]:
    """Write the arrays of ``pad_texts`` to ids.npy and lengths.npy, with one chunk in memory.

    Returns:
        The number of tokens of each text before it is cut, (texts,).
    """
    lengths, counts = [], []
    with (folder / "ids.npy").open("wb") as file:
        for number, chunk in enumerate(in_chunks(texts)):
            encoded = encode_texts(tokenizer, chunk)
            padded = pad(encoded, max_length, tokenizer.get_vocab_size(), last)
            if number == 0:
                header = np.lib.format.header_data_from_array_1_0(padded.ids)
                header["shape"] = (len(texts), max_length)
                np.lib.format.write_array_header_1_0(file, header)
            file.write(padded.ids.tobytes())
            lengths.append(padded.lengths)
            counts.append(np.diff(encoded.offsets))
    np.save(folder / "lengths.npy", np.concatenate(lengths), allow_pickle=False)
    return np.concatenate(counts)


def written_checks(folder: Path) -> pd.DataFrame:
    """Return ``padding_checks`` of the files of ``write_padded``, read a chunk at a time."""
    ids, lengths = (
        np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in Padded._fields
    )
    starts = range(0, max(1, len(lengths)), CHUNK)
    chunks = (
        Padded(ids[start : start + CHUNK], lengths[start : start + CHUNK]) for start in starts
    )
    return pd.concat(map(padding_checks, chunks), ignore_index=True)


def padding_checks(padded: Padded) -> pd.DataFrame:
    """Return the figures of every row that the gate checks.

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
