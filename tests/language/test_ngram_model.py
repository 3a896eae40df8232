"""N-gram models: calculations by hand, and properties of their probabilities."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentigate.language.ngram_model import (
    INTERPOLATION_WEIGHTS,
    Bigram,
    Pairs,
    Unigram,
    ngram_perplexities,
    pairs_of,
    perplexity,
)
from sentigate.model.network.batches import EncodedSplit

VOCABULARY = 5


def split_of(texts: list[list[int]], width: int | None = None) -> EncodedSplit:
    lengths = np.array([len(text) for text in texts], dtype=np.int32)
    ids = np.zeros((len(texts), width or max(map(len, texts))), dtype=np.uint16)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
    return EncodedSplit(ids, lengths, np.zeros(len(texts), dtype=np.int8))


def pairs(*texts: list[int]) -> Pairs:
    return pairs_of(split_of(list(texts)))


def every_pair() -> Pairs:
    before, after = np.divmod(np.arange(VOCABULARY**2), VOCABULARY)
    return Pairs(before, after)


texts = st.lists(
    st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=6), min_size=1, max_size=5
)


def test_pairs_begin_and_end_with_the_boundary() -> None:
    for width in (None, 7):  # a text that fills its row also has an end
        found = pairs_of(split_of([[2, 3, 2], [4]], width))
        assert found.before.tolist() == [0, 2, 3, 2, 0, 4]
        assert found.after.tolist() == [2, 3, 2, 0, 4, 0]
        assert found.before.dtype == found.after.dtype == np.int64


def test_unigram_matches_a_hand_calculation() -> None:
    unigram = Unigram(pairs([2, 3], [2]), VOCABULARY)  # 2 3 end 2 end, and each entry once more
    assert unigram.shares.tolist() == [3 / 10, 1 / 10, 3 / 10, 2 / 10, 1 / 10]
    judged = pairs([2, 4])
    expected = math.exp(-(math.log(0.3) + math.log(0.1) + math.log(0.3)) / 3)
    assert perplexity(unigram.probabilities(judged)) == pytest.approx(expected)


def test_bigram_matches_a_hand_calculation() -> None:
    train = pairs([2, 3], [2])
    bigram = Bigram(train, train, VOCABULARY)
    bigram.weight = 0.5
    found = bigram.probabilities(pairs([2, 3], [3, 3], [4, 2]))
    expected = [
        0.5 * 1 + 0.5 * 0.3,  # 2 at the beginning, always
        0.5 * 1 / 2 + 0.5 * 0.2,  # 3 after 2, once of two
        0.5 * 1 + 0.5 * 0.3,  # the end after 3, always
        0.5 * 0 + 0.5 * 0.2,  # 3 at the beginning, never
        0.5 * 0 + 0.5 * 0.2,  # 3 after 3, never
        0.5 * 1 + 0.5 * 0.3,
        0.5 * 0 + 0.5 * 0.1,  # 4 at the beginning, never
        0.3,  # after 4, which is not in training: the unigram
        0.5 * 1 / 2 + 0.5 * 0.3,  # the end after 2, once of two
    ]
    assert found == pytest.approx(expected)


@given(train=texts, validation=texts)
def test_probabilities_are_positive_and_sum_to_one(
    train: list[list[int]], validation: list[list[int]]
) -> None:
    bigram = Bigram(pairs(*train), pairs(*validation), VOCABULARY)
    for model in (bigram, bigram.unigram):
        table = model.probabilities(every_pair()).reshape(VOCABULARY, VOCABULARY)
        assert table.sum(axis=1) == pytest.approx(np.ones(VOCABULARY))
        assert (table > 0).all()


@given(train=texts, validation=texts)
def test_the_weight_is_optimal_on_validation(
    train: list[list[int]], validation: list[list[int]]
) -> None:
    counted, judged = pairs(*train), pairs(*validation)
    bigram = Bigram(counted, judged, VOCABULARY)
    best = perplexity(bigram.probabilities(judged))
    assert best <= perplexity(bigram.unigram.probabilities(judged)) * (1 + 1e-12)
    for weight in INTERPOLATION_WEIGHTS[::9]:
        bigram.weight = float(weight)
        assert best <= perplexity(bigram.probabilities(judged)) * (1 + 1e-12)


def test_the_weight_is_high_only_if_pairs_recur_in_validation() -> None:
    same = split_of([[1, 2, 3, 4]] * 20)
    other = split_of([[4, 3, 2, 1]] * 20)
    train = pairs_of(same)
    assert Bigram(train, pairs_of(same), VOCABULARY).weight == INTERPOLATION_WEIGHTS[-1]
    assert Bigram(train, pairs_of(other), VOCABULARY).weight == 0


def test_ngram_perplexities_are_rounded_and_count_tokens() -> None:
    train, validation, test = (split_of([[1, 2, 3], [2, 3]] * 9) for _ in range(3))
    figures = ngram_perplexities(train, validation, test, VOCABULARY)
    judged = pairs_of(test)
    bigram = Bigram(judged, judged, VOCABULARY)
    assert figures == {
        "unigram_perplexity": round(perplexity(bigram.unigram.probabilities(judged)), 6),
        "bigram_perplexity": round(perplexity(bigram.probabilities(judged)), 6),
        "tokens": 9 * (4 + 3),
    }
    assert figures["bigram_perplexity"] < figures["unigram_perplexity"]  # type: ignore[operator]


def test_perplexity_of_a_guess_among_ten_is_ten() -> None:
    assert perplexity(np.full(7, 0.1)) == pytest.approx(10)


def test_a_large_vocabulary_does_not_overflow() -> None:
    """A pair's code, before * V + after, exceeds 32 bits in a large vocabulary."""
    size = 60_000
    bigram = Bigram(pairs([59_999, 59_998]), pairs([59_999, 59_998]), size)
    assert bigram.probabilities(pairs([59_999, 59_998]))[1] > 0.9
    assert bigram.probabilities(pairs([59_999, 59_997]))[1] < 1e-4
