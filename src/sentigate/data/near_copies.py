"""Find near-copies: texts whose word shingles have a high Jaccard similarity.

Broder (1997) defined the resemblance of shingle sets. The search is exact, but does not compare all
pairs. Two similar sets must share one of their rarest shingles (the prefix filter, Chaudhuri et al.
2006). The shingles after the shared one must also be enough to reach the threshold (the positional
filter of PPJoin, Xiao et al. 2008). Therefore a shingle that most texts have costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

LIKE, OF = 4, 5
"""Near-copies share at least 4/5 of their shingles. Integers avoid rounding errors."""
JACCARD_THRESHOLD = LIKE / OF
SHINGLE_WORDS = 3
# Limits on what is held in memory at one time.
CHUNK_TEXTS = 10_000
CHUNK_PAIRS = 2_000_000
CHUNK_SHINGLES = 10_000_000
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def near_copies(splits: pd.DataFrame) -> Mask:
    """Find the rows outside training that have a near-copy of another group in training.

    Two texts are near-copies when they are identical, or when the Jaccard similarity of their
    3-word shingles is at least 4/5. White space separates words. A text of one or two words has a
    single shingle. A text without words has no shingle and no near-copy.

    Args:
        splits: Columns group, split and text (str).

    Returns:
        (rows,) bool; False for the rows in training.
    """
    text, distinct = _distinct(splits["text"])
    group = pd.factorize(splits["group"])[0].astype(np.int64)
    in_train = (splits["split"] == "train").to_numpy()
    # For each text, the lowest and the highest group of its training rows, and of the training
    # rows of its near-copies. Unless both equal a row's own group, another group is among them.
    none = np.iinfo(np.int64).max
    low, high = np.full(len(distinct), none), np.full(len(distinct), -1)
    np.minimum.at(low, text[in_train], group[in_train])
    np.maximum.at(high, text[in_train], group[in_train])
    near_low, near_high = low.copy(), high.copy()

    def copied() -> Mask:
        lowest, highest = near_low[text], near_high[text]
        copy: Mask = ~in_train & (highest >= 0) & ((lowest != group) | (highest != group))
        return copy

    def with_rows(chosen: Mask) -> Mask:
        texts = np.zeros(len(distinct), dtype=bool)
        texts[text[chosen]] = True
        return texts

    wanted = with_rows(~in_train & ~copied())

    def found(one: Rows, other: Rows) -> None:
        nonlocal wanted
        np.minimum.at(near_low, one, low[other])
        np.maximum.at(near_high, one, high[other])
        wanted = with_rows(~in_train & ~copied())

    sets = _shingle_sets(distinct)
    _join(sets, wanted, with_rows(in_train), lambda one, _: wanted[one], found)
    return copied()


def near_copy_figures(splits: pd.DataFrame, copies: Mask) -> dict[str, float]:
    """Count the near-copies for reports/split.json.

    Args:
        splits: Column split.
        copies: (rows,) bool, as ``near_copies`` returns it.

    Returns:
        ``rows``, the near-copies in the test split; ``share``, their share of it, in [0, 1];
        ``validation_rows``, those in validation; ``threshold``, of the Jaccard similarity.
    """
    in_test = (splits["split"] == "test").to_numpy()
    return {
        "rows": int(copies[in_test].sum()),
        "share": float(pd.Series(copies[in_test]).mean()),
        "validation_rows": int(copies[~in_test].sum()),
        "threshold": JACCARD_THRESHOLD,
    }


def near_copy_clusters(texts: pd.Series[str]) -> Rows:
    """Number the clusters of near-copies: rows joined by a chain of near-copies share a number.

    Args:
        texts: (rows,) str; ``near_copies`` defines near-copies.

    Returns:
        (rows,) int64.
    """
    text, distinct = _distinct(texts)
    cluster = np.arange(len(distinct))

    def found(one: Rows, other: Rows) -> None:
        nonlocal cluster
        edges = coo_matrix(
            (np.ones(len(one), dtype=np.int8), (cluster[one], cluster[other])),
            shape=(len(distinct),) * 2,
        )
        cluster = connected_components(edges, directed=False)[1].astype(np.int64)[cluster]

    every = np.ones(len(distinct), dtype=bool)
    sets = _shingle_sets(distinct)
    _join(sets, every, every, lambda one, other: cluster[one] != cluster[other], found)
    clusters: Rows = cluster[text]
    return clusters


def _distinct(texts: pd.Series[str]) -> tuple[Rows, pa.Array]:
    """Return the number of each row's text, and the distinct texts."""
    numbers, names = pd.factorize(texts)
    return numbers.astype(np.int64), pa.array(names, type=pa.large_string())


@dataclass(frozen=True)
class _Sets:
    """The shingles of each text, the rarest first.

    Attributes:
        sizes: (texts,) number of distinct shingles.
        alone: (texts,) number of shingles that no other text has; they come first.
        shared: (texts, shingles) 1 where a text has a shingle that another text has too. Columns
            are in order of the number of texts that have the shingle.
    """

    sizes: Rows
    alone: Rows
    shared: csr_matrix


def _shingle_sets(texts: pa.Array) -> _Sets:
    starts = range(0, len(texts), CHUNK_TEXTS)
    chunks = [_shingles(texts.slice(start, CHUNK_TEXTS)) for start in starts]
    # 64 bits: with 40 million shingles, the chance of any collision is 1 in 20,000.
    hashes = np.concatenate([hashes for hashes, _ in chunks] or [np.empty(0, dtype=np.uint64)])
    counts = np.concatenate([counts for _, counts in chunks] or [np.empty(0, dtype=np.int64)])
    del chunks
    number, repeated = _numbers_of_repeated(hashes)
    del hashes
    met = number >= 0
    row = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[met]
    alone = counts - np.bincount(row, minlength=len(counts))
    # A shingle counts once for each text: True + True is True.
    found = csr_matrix((np.ones(len(row), dtype=bool), (row, number[met])), (len(counts), repeated))
    texts_with = np.bincount(found.indices, minlength=repeated)
    by_rarity = np.argsort(texts_with, kind="stable")
    shared = found[:, by_rarity[np.searchsorted(texts_with[by_rarity], 2) :]]
    shared.sort_indices()
    alone += np.diff(found.indptr) - np.diff(shared.indptr)
    return _Sets(alone + np.diff(shared.indptr), alone, shared)


def _numbers_of_repeated(hashes: Hashes) -> tuple[npt.NDArray[np.int32], int]:
    """Number the hashes that occur more than once, -1 for the others; and count the numbers."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    like_next = np.append(ordered[1:] == ordered[:-1], np.zeros(min(1, len(hashes)), dtype=bool))
    like_last = np.roll(like_next, 1)  # the last element of like_next is False
    starts = like_next & ~like_last
    number = np.empty(len(hashes), dtype=np.int32)
    number[order] = np.where(like_next | like_last, np.cumsum(starts, dtype=np.int32) - 1, -1)
    return number, int(starts.sum())


def _shingles(texts: pa.Array) -> tuple[Hashes, Rows]:
    """Hash the shingles of each text, one text after the other; and count them for each text."""
    split = pc.utf8_split_whitespace(texts)
    words = split.flatten().dictionary_encode()
    text = np.repeat(np.arange(len(texts)), pc.list_value_length(split).to_numpy())
    names = np.array(words.dictionary.to_pylist(), dtype=object)
    of_word = pd.util.hash_array(names, categorize=False)
    code = words.indices.to_numpy()
    is_word = (names != "")[code]  # white space at either end gives an empty word
    text, code = text[is_word], code[is_word]
    lengths = np.bincount(text, minlength=len(texts))
    padded = np.where(lengths > 0, np.maximum(lengths, SHINGLE_WORDS), 0)
    shift = (np.cumsum(padded) - padded) - (np.cumsum(lengths) - lengths)
    hashes = np.zeros(int(padded.sum()), dtype=np.uint64)
    hashes[np.arange(len(code)) + shift[text]] = of_word[code]
    counts = np.maximum(padded - (SHINGLE_WORDS - 1), 0)
    of_text = np.repeat(np.cumsum(padded) - padded - (np.cumsum(counts) - counts), counts)
    starts = np.arange(len(of_text)) + of_text
    mixed = np.zeros(len(starts), dtype=np.uint64)
    for place, factor in enumerate(_FACTORS):
        mixed += hashes[starts + place] * factor
        mixed ^= mixed >> np.uint64(29)
    return mixed, counts


def _join(
    sets: _Sets,
    queries: Mask,
    targets: Mask,
    is_open: Callable[[Rows, Rows], Any],
    found: Callable[[Rows, Rows], None],
) -> None:
    """Call ``found`` with pairs of near-copies, a query and a target, until no pair is open.

    ``is_open`` returns which pairs still matter. Each query is first compared with one target for
    each of its shingles. This settles most pairs of a large cluster of near-copies, which has too
    many pairs to compare them all.
    """
    row, position, shingle = _prefixes(sets)
    of_target = targets[row]
    target, target_position = row[of_target], position[of_target]
    counts = np.bincount(shingle[of_target], minlength=sets.shared.shape[1])
    starts = np.cumsum(counts) - counts
    of_query = queries[row] & (counts[shingle] > 0)
    query, query_position, shingle = row[of_query], position[of_query], shingle[of_query]

    def compare(entry: Rows, place: Rows) -> None:
        one, other = query[entry], target[place]
        sizes = sets.sizes[one], sets.sizes[other]
        left = np.minimum(sizes[0] - query_position[entry], sizes[1] - target_position[place])
        hopeful = (one != other) & ((LIKE + OF) * left >= LIKE * (sizes[0] + sizes[1]))
        one, other = one[hopeful], other[hopeful]
        hopeful = is_open(one, other)
        pairs = np.sort(one[hopeful] * len(sets.sizes) + other[hopeful])
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        for some in _by_shingles(sets, pairs // len(sets.sizes), pairs % len(sets.sizes)):
            found(*some)

    for part in _chunks(np.ones(len(query), dtype=np.int64)):
        compare(part, starts[shingle[part]])
    several = np.flatnonzero(counts[shingle] > 1)
    several = several[is_open(query[several], target[starts[shingle[several]]])]
    for part in _chunks(counts[shingle[several]]):
        entry = several[part]
        entry = entry[is_open(query[entry], target[starts[shingle[entry]]])]
        many = counts[shingle[entry]]
        offset = np.repeat(starts[shingle[entry]] - (np.cumsum(many) - many), many)
        compare(np.repeat(entry, many), np.arange(len(offset)) + offset)


def _prefixes(sets: _Sets) -> tuple[Rows, Rows, Rows]:
    """Return the prefixes: near-copies share at least one of these shingles.

    Returns:
        Text, position of the shingle in it, and shingle; in order of shingle, then of text.
    """
    lengths = np.diff(sets.shared.indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(row)) - sets.shared.indptr[row] + sets.alone[row]
    needed = -(-LIKE * sets.sizes // OF)
    early = position <= (sets.sizes - needed)[row]
    row, position, shingle = row[early], position[early], sets.shared.indices[early]
    order = np.argsort(shingle, kind="stable")
    return row[order], position[order], shingle[order].astype(np.int64)


def _by_shingles(sets: _Sets, one: Rows, other: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Compare all shingles of each pair, and yield the pairs that are near-copies."""
    for part in _chunks(sets.sizes[one] + sets.sizes[other], CHUNK_SHINGLES):
        a, b = one[part], other[part]
        both = np.diff(sets.shared[a].multiply(sets.shared[b]).tocsr().indptr)
        near = (LIKE + OF) * both.astype(np.int64) >= LIKE * (sets.sizes[a] + sets.sizes[b])
        if near.any():
            yield a[near], b[near]


def _chunks(work: Rows, most: int = CHUNK_PAIRS) -> Iterator[Rows]:
    """Yield runs of consecutive indexes whose ``work`` adds up to about ``most``."""
    done = np.cumsum(work)
    first = 0
    while first < len(work):
        before = int(done[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(done, before + most, side="right")))
        yield np.arange(first, last)
        first = last
