"""N-gram models, with whose perplexity a language model's is compared.

As for the network, id 0 is the boundary: before a text's first token and after its last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from sentigate.model.network.batches import EncodedSplit

Ids = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

INTERPOLATION_WEIGHTS = np.linspace(0.0, 0.99, 100)
"""Weights that are tried; not 1, which gives a pair that is not in training probability 0."""


class Pairs(NamedTuple):
    """Every token of a split, and the end of each text, with the token before it.

    Attributes:
        before: (N,) int64, 0 before a text's first token; N is rows plus the sum of lengths.
        after: (N,) int64, 0 at a text's end.
    """

    before: Ids
    after: Ids


def pairs_of(split: EncodedSplit) -> Pairs:
    """The pairs of a split, text after text."""
    ids: npt.NDArray[Any] = np.pad(split.ids, ((0, 0), (1, 1)))
    inside = np.arange(ids.shape[1] - 1) <= split.lengths[:, None]
    return Pairs(ids[:, :-1][inside].astype(np.int64), ids[:, 1:][inside].astype(np.int64))


class Unigram:
    """P(token) by its share of the training tokens, one added to each count (Laplace).

    Attributes:
        shares: (V,) float64, sums to 1.
    """

    def __init__(self, train: Pairs, vocabulary_size: int) -> None:
        counts = np.bincount(train.after, minlength=vocabulary_size) + 1
        self.shares: Doubles = counts / counts.sum()

    def probabilities(self, pairs: Pairs) -> Doubles:
        """P(after), (N,) float64."""
        return self.shares[pairs.after]


class Bigram:
    """P(token | the one before), interpolated with the unigram (Jelinek and Mercer 1980).

    w count(before, after) / count(before) + (1 - w) P(after); after a token that is not in
    training, P(after).

    Attributes:
        unigram: the unigram model.
        weight: w, the one of 0, 0.01 … 0.99 under which the validation rows are likeliest.
    """

    def __init__(self, train: Pairs, validation: Pairs, vocabulary_size: int) -> None:
        self.unigram = Unigram(train, vocabulary_size)
        self.size = vocabulary_size
        self.before_counts = np.bincount(train.before, minlength=vocabulary_size)
        self.codes, self.counts = np.unique(self._code(train), return_counts=True)
        share, fallback = self._parts(validation)
        likelihoods = [np.log(w * share + (1 - w) * fallback).sum() for w in INTERPOLATION_WEIGHTS]
        self.weight = float(INTERPOLATION_WEIGHTS[np.argmax(likelihoods)])

    def probabilities(self, pairs: Pairs) -> Doubles:
        """P(after | before), (N,) float64."""
        share, fallback = self._parts(pairs)
        return self.weight * share + (1 - self.weight) * fallback

    def _parts(self, pairs: Pairs) -> tuple[Doubles, Doubles]:
        """Each pair's share of the pairs with the same first token, and the unigram's P(after)."""
        seen = self.before_counts[pairs.before]
        fallback = self.unigram.probabilities(pairs)
        return np.where(seen > 0, self._count(pairs) / np.maximum(seen, 1), fallback), fallback

    def _count(self, pairs: Pairs) -> Ids:
        wanted = self._code(pairs)
        place = np.searchsorted(self.codes, wanted).clip(max=len(self.codes) - 1)
        return np.where(self.codes[place] == wanted, self.counts[place], 0)

    def _code(self, pairs: Pairs) -> Ids:
        return pairs.before * self.size + pairs.after


def perplexity(probabilities: Doubles) -> float:
    """Exponential of the mean negative log probability.

    Args:
        probabilities: the probability of each token that came, (N,).
    """
    return float(np.exp(-np.log(probabilities).mean()))


def ngram_perplexities(
    train: EncodedSplit, validation: EncodedSplit, test: EncodedSplit, vocabulary_size: int
) -> dict[str, float | int | None]:
    """How well a unigram and a bigram model predict the test split.

    Args:
        train: rows whose n-grams are counted.
        validation: rows that choose the bigram's weight.
        test: rows that are predicted.
        vocabulary_size: number of entries, padding and the unknown token included.

    Returns:
        unigram_perplexity and bigram_perplexity, rounded to 6 decimals so that files stay stable,
        and tokens: the number of predicted tokens; each text's end counts as one.
    """
    counted, chosen, judged = (pairs_of(split) for split in (train, validation, test))
    bigram = Bigram(counted, chosen, vocabulary_size)
    return {
        "unigram_perplexity": round(perplexity(bigram.unigram.probabilities(judged)), 6),
        "bigram_perplexity": round(perplexity(bigram.probabilities(judged)), 6),
        "tokens": len(judged.after),
    }
