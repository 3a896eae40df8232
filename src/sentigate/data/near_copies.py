"""Texts that say nearly the same: Jaccard similarity of word shingles, found without comparing all.

Resemblance of shingle sets is Broder's (1997). The join is exact: two sets so alike must share one
of their rarest shingles (the prefix filter of Chaudhuri et al. 2006), early enough in both for the
rest to suffice (the positional filter of PPJoin, Xiao et al. 2008). So a shingle that most texts
have costs nothing.
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
"""Near-copies share at least 4/5 of their shingles; whole numbers, so that nothing is rounded."""
JACCARD_THRESHOLD = LIKE / OF
SHINGLE_WORDS = 3
# What is held in memory at a time.
CHUNK_TEXTS = 10_000
CHUNK_PAIRS = 2_000_000
CHUNK_SHINGLES = 10_000_000
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def near_copies(splits: pd.DataFrame) -> Mask:
    """Which rows outside training have a near-copy in training that is of another group.

    Two texts are near-copies when they are the same, or when of all 3-word shingles in either at
    least 4/5 are in both. Words are what stands between white space; one or two words are a single
    shingle. A text without a word has none, and is like no other.

    Args:
        splits: columns group, split and text (str).

    Returns:
        (rows,) bool; False for the rows in training.
    """
    text, distinct = _distinct(splits["text"])
    group = pd.factorize(splits["group"])[0].astype(np.int64)
    in_train = (splits["split"] == "train").to_numpy()
    # The lowest and highest group among training rows of a text, and of what is like it: a row's
    # own group is not the only one there unless it is both.
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
    """What reports/split.json says of them.

    Args:
        splits: column split.
        copies: (rows,) as ``near_copies`` gives it.

    Returns:
        ``rows`` of the test split and their ``share`` of it, in [0, 1]; ``validation_rows``; and
        the ``threshold`` of the Jaccard similarity.
    """
    in_test = (splits["split"] == "test").to_numpy()
    return {
        "rows": int(copies[in_test].sum()),
        "share": float(pd.Series(copies[in_test]).mean()),
        "validation_rows": int(copies[~in_test].sum()),
        "threshold": JACCARD_THRESHOLD,
    }


def near_copy_clusters(texts: pd.Series[str]) -> Rows:
    """A number for each row; near-copies of each other, by any chain, share the number.

    Args:
        texts: (rows,) str; what near-copies are, ``near_copies`` says.
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
    """The number of each row's text, and the texts."""
    numbers, names = pd.factorize(texts)
    return numbers.astype(np.int64), pa.array(names, type=pa.large_string())


@dataclass(frozen=True)
class _Sets:
    """The shingles of each text, the rarest first.

    Attributes:
        sizes: (texts,) distinct shingles.
        alone: (texts,) how many of them no other text has; they come first.
        shared: (texts, shingles) ones where a text has a shingle that another has too; columns
            are ordered by the number of texts that have it.
    """

    sizes: Rows
    alone: Rows
    shared: csr_matrix


def _shingle_sets(texts: pa.Array) -> _Sets:
    starts = range(0, len(texts), CHUNK_TEXTS)
    chunks = [_shingles(texts.slice(start, CHUNK_TEXTS)) for start in starts]
    # 64 bits: among 40 million shingles, one in 20,000 that any two are taken for the same.
    hashes = np.concatenate([hashes for hashes, _ in chunks] or [np.empty(0, dtype=np.uint64)])
    counts = np.concatenate([counts for _, counts in chunks] or [np.empty(0, dtype=np.int64)])
    del chunks
    number, repeated = _numbers_of_repeated(hashes)
    del hashes
    met = number >= 0
    row = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[met]
    alone = counts - np.bincount(row, minlength=len(counts))
    # What a text says twice counts once: True and True is True.
    found = csr_matrix((np.ones(len(row), dtype=bool), (row, number[met])), (len(counts), repeated))
    texts_with = np.bincount(found.indices, minlength=repeated)
    by_rarity = np.argsort(texts_with, kind="stable")
    shared = found[:, by_rarity[np.searchsorted(texts_with[by_rarity], 2) :]]
    shared.sort_indices()
    alone += np.diff(found.indptr) - np.diff(shared.indptr)
    return _Sets(alone + np.diff(shared.indptr), alone, shared)


def _numbers_of_repeated(hashes: Hashes) -> tuple[npt.NDArray[np.int32], int]:
    """For each hash that is there again, a number of its own, else -1; and how many numbers."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    like_next = np.append(ordered[1:] == ordered[:-1], np.zeros(min(1, len(hashes)), dtype=bool))
    like_last = np.roll(like_next, 1)  # the last one's is False
    starts = like_next & ~like_last
    number = np.empty(len(hashes), dtype=np.int32)
    number[order] = np.where(like_next | like_last, np.cumsum(starts, dtype=np.int32) - 1, -1)
    return number, int(starts.sum())


def _shingles(texts: pa.Array) -> tuple[Hashes, Rows]:
    """Fingerprints of the shingles of each text, one text after the other, and how many."""
    split = pc.utf8_split_whitespace(texts)
    words = split.flatten().dictionary_encode()
    text = np.repeat(np.arange(len(texts)), pc.list_value_length(split).to_numpy())
    names = np.array(words.dictionary.to_pylist(), dtype=object)
    of_word = pd.util.hash_array(names, categorize=False)
    code = words.indices.to_numpy()
    said = (names != "")[code]  # white space at an end is split off too
    text, code = text[said], code[said]
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

    ``is_open`` says of pairs whether it matters if they are near-copies. Each query is first
    compared with one target for each of its shingles; that settles most of a large family of
    near-copies, all pairs of which would be too many.
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
    """The shared shingles that near-copies cannot all miss: text, position in it, and shingle.

    In order of shingle, then of text.
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
    """Those of the pairs that are near-copies, compared whole."""
    for part in _chunks(sets.sizes[one] + sets.sizes[other], CHUNK_SHINGLES):
        a, b = one[part], other[part]
        both = np.diff(sets.shared[a].multiply(sets.shared[b]).tocsr().indptr)
        near = (LIKE + OF) * both.astype(np.int64) >= LIKE * (sets.sizes[a] + sets.sizes[b])
        if near.any():
            yield a[near], b[near]


def _chunks(work: Rows, most: int = CHUNK_PAIRS) -> Iterator[Rows]:
    """Consecutive numbers whose ``work`` is about ``most``."""
    done = np.cumsum(work)
    first = 0
    while first < len(work):
        before = int(done[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(done, before + most, side="right")))
        yield np.arange(first, last)
        first = last
