"""Near-copies: equal to a comparison of all pairs, by hand, and fast for common shingles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.data import near_copies as module
from sentigate.data.near_copies import near_copies, near_copy_clusters, near_copy_figures


def series(texts: list[str]) -> pd.Series:
    return pd.Series(texts, dtype="str")


def rows(*entries: tuple[str, str, str]) -> pd.DataFrame:
    """Make rows of (split, group, text)."""
    columns = ["split", "group", "text"]
    return pd.DataFrame(list(entries), columns=columns).astype("str")


# Comparing all pairs


def shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    if len(words) < 3:
        return {tuple(words)} - {()}
    return {tuple(words[n : n + 3]) for n in range(len(words) - 2)}


def alike(one: str, other: str) -> bool:
    a, b = shingles(one), shingles(other)
    return one == other or (bool(a | b) and Fraction(len(a & b), len(a | b)) >= Fraction(4, 5))


def expected_copies(splits: pd.DataFrame) -> list[bool]:
    train = splits.loc[splits["split"] == "train"]
    return [
        side != "train"
        and any(
            group != other and alike(text, seen)
            for other, seen in zip(train["group"], train["text"], strict=True)
        )
        for side, group, text in zip(splits["split"], splits["group"], splits["text"], strict=True)
    ]


def expected_partition(texts: list[str]) -> list[int]:
    """Return the first row of each row's cluster."""
    first = list(range(len(texts)))
    for a in range(len(texts)):
        for b in range(a):
            if alike(texts[a], texts[b]) and first[a] != first[b]:
                low, high = sorted((first[a], first[b]))
                first = [low if number == high else number for number in first]
    return first


def partition(clusters: np.ndarray) -> list[int]:
    seen: dict[int, int] = {}
    return [seen.setdefault(int(cluster), row) for row, cluster in enumerate(clusters)]


@st.composite
def families(draw: st.DrawFn) -> list[str]:
    """Texts of few words, and variants with up to two words changed, added or removed."""
    word = st.sampled_from(["a", "b", "c", "d", "é", "!", "ab"])
    space = st.sampled_from([" ", " ", "  ", "\n", "\u00a0"])
    texts = []
    for _ in range(draw(st.integers(1, 4))):
        words = draw(st.lists(word, max_size=22))
        for _ in range(draw(st.integers(1, 5))):
            changed = list(words)
            for _ in range(draw(st.integers(0, 2))):
                place = draw(st.integers(0, len(changed)))
                changed[place : place + draw(st.integers(0, 1))] = draw(st.lists(word, max_size=1))
            texts.append(draw(space).join([*changed, *draw(st.sampled_from([[], [""]]))]))
    return texts


CHUNKS = st.sampled_from([None, 2])
"""Chunk sizes: None for the module's own, or 2, so that every step needs several chunks."""


@contextmanager
def chunks_of(size: int | None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CHUNK_TEXTS", "CHUNK_PAIRS", "CHUNK_SHINGLES"):
            if size:
                patch.setattr(module, name, size)
        yield


@given(families(), st.randoms(use_true_random=False), CHUNKS)
def test_copies_are_those_found_by_comparing_all_pairs(
    texts: list[str], random: Random, size: int | None
) -> None:
    splits = rows(
        *((random.choice(["train", "train", "validation", "test"]), random.choice("gh"), text)
          for text in texts)
    )  # fmt: skip
    with chunks_of(size):
        assert near_copies(splits).tolist() == expected_copies(splits)


@given(families(), CHUNKS)
def test_clusters_are_those_found_by_comparing_all_pairs(
    texts: list[str], size: int | None
) -> None:
    with chunks_of(size):
        assert partition(near_copy_clusters(series(texts))) == expected_partition(texts)


# By hand

NINE = "one two three four five six seven eight nine ten eleven"  # words eleven, shingles nine


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (NINE, True),
        (f"{NINE} twelve", True),  # 9 of 10
        (f"{NINE} twelve thirteen", True),  # 9 of 11
        (f"{NINE} twelve thirteen fourteen", False),  # 9 of 12
        (f"zero {NINE}", True),  # 9 of 10
        (NINE.replace("six", "6"), False),  # 6 of 12
        (NINE.replace("eleven", "11"), True),  # 8 of 10: exactly the threshold
        (NINE.replace("ten eleven", "10 11"), False),  # 7 of 11
        (f"  {NINE}\n", True),  # white space does not count
        (NINE.upper(), False),  # case counts: cleaning removes it, if at all
    ],
)
def test_near_copies_share_four_fifths_of_their_shingles(text: str, copy: bool) -> None:
    splits = rows(("train", "a", NINE), ("test", "b", text), ("validation", "c", text))
    assert near_copies(splits).tolist() == [False, copy, copy]
    assert len(set(near_copy_clusters(splits["text"]))) == (1 if copy else 2)


def test_short_texts_have_one_shingle_and_empty_texts_none() -> None:
    short = ["good", "good film", " good  film ", "good film .", "film good", " ", "\t"]
    assert partition(near_copy_clusters(series(short))) == [0, 1, 1, 3, 4, 5, 6]


def test_copies_of_the_same_group_or_in_validation_do_not_count() -> None:
    splits = rows(
        ("train", "a", NINE),
        ("test", "a", f"{NINE} twelve"),  # the same group, which the group leakage counts
        ("validation", "b", "some thing else"),
        ("test", "c", "some thing else"),  # not in training
    )
    assert not near_copies(splits).any()
    more = pd.concat([splits, rows(("train", "d", f"zero {NINE}"))], ignore_index=True)
    assert near_copies(more).tolist() == [False, True, False, False, False]


def test_figures_by_hand() -> None:
    splits = rows(*((side, "g", "") for side in ("train", "test", "validation", "test", "test")))
    copies = np.array([False, True, True, False, False])
    expected = {"rows": 1, "share": 1 / 3, "validation_rows": 1, "threshold": 0.8}
    assert near_copy_figures(splits, copies) == expected


def test_tables_without_pairs_have_no_near_copies() -> None:
    assert near_copies(rows()).tolist() == []
    assert near_copy_clusters(series([])).tolist() == []
    assert near_copies(rows(("test", "a", NINE))).tolist() == [False]
    assert near_copies(rows(("train", "a", ""), ("test", "b", ""))).tolist() == [False, True]


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(rng.choice(list("abcd"), rng.integers(1, 14))) for _ in range(400)]
    splits = rows(*((["train", "test"][n % 2], str(n), text) for n, text in enumerate(texts)))
    order = rng.permutation(len(splits))
    assert near_copies(splits)[order].tolist() == near_copies(splits.iloc[order]).tolist()


# Many rows, most of which share shingles


@pytest.mark.parametrize("kind", ["one_shingle_in_all", "all_near_copies", "two_families"])
def test_common_shingles_are_cheap(kind: str) -> None:
    """4,000 rows have 8 million pairs, of which only a few may be compared."""
    rng = np.random.default_rng(0)
    count = 4_000
    long = " ".join(f"w{n}" for n in range(40))
    texts = {
        "one_shingle_in_all": [
            "i love this " + " ".join(f"v{n}" for n in rng.integers(0, 3000, 9))
            for _ in range(count)
        ],
        "all_near_copies": [f"{long} {n}" for n in range(count)],
        "two_families": [f"{long} {n if n % 40 else f'x y z u v w a b c d e f g {n}'}"
                         for n in range(count)],
    }[kind]  # fmt: skip
    splits = rows(*((["train", "test"][n % 2], str(n), text) for n, text in enumerate(texts)))
    compared = 0
    by_shingles = module._by_shingles

    def count_pairs(sets: Any, one: Any, other: Any) -> Any:
        nonlocal compared
        compared += len(one)
        return by_shingles(sets, one, other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_by_shingles", count_pairs)
        copies = near_copies(splits)
        clusters = len(set(near_copy_clusters(splits["text"])))
    assert compared < 100 * count
    assert copies.sum() == (0 if kind == "one_shingle_in_all" else count // 2)
    assert clusters == {"one_shingle_in_all": count, "all_near_copies": 1, "two_families": 2}[kind]
