"""N-gram models, as baselines for the perplexity of a language model.

As in language_model.py, id 0 is the boundary before a text's first token and after its last.
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
"""Candidates. Weight 1 is left out: with it, a pair that is not in training has probability 0."""


class Pairs(NamedTuple):
    """Each token of a split, and the end of each text, paired with the preceding token.

    Attributes:
        before: (N,) int64, preceding token, 0 at a text's start; N is rows plus the sum of lengths.
        after: (N,) int64, token, 0 at a text's end.
    """

    before: Ids
    after: Ids


def pairs_of(split: EncodedSplit) -> Pairs:
    """Return the pairs of a split, one text after another."""
    ids: npt.NDArray[Any] = np.pad(split.ids, ((0, 0), (1, 1)))
    inside = np.arange(ids.shape[1] - 1) <= split.lengths[:, None]
    return Pairs(ids[:, :-1][inside].astype(np.int64), ids[:, 1:][inside].astype(np.int64))


class Unigram:
    """P(token): its share of the training tokens, with one added to each count (Laplace).

    Attributes:
        shares: (V,) float64; the shares sum to 1.
    """

    def __init__(self, train: Pairs, vocabulary_size: int) -> None:
        counts = np.bincount(train.after, minlength=vocabulary_size) + 1
        self.shares: Doubles = counts / counts.sum()

    def probabilities(self, pairs: Pairs) -> Doubles:
        """Return P(after), (N,) float64."""
        return self.shares[pairs.after]


class Bigram:
    """P(after | before), interpolated with the unigram (Jelinek and Mercer 1980).

    It is w count(before, after) / count(before) + (1 - w) P(after). If ``before`` is not in
    training, it is P(after).

    Attributes:
        unigram: the unigram model.
        weight: w. Among 0, 0.01, …, 0.99 it gives the validation rows the highest likelihood.
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
        """Return P(after | before), (N,) float64."""
        share, fallback = self._parts(pairs)
        return self.weight * share + (1 - self.weight) * fallback

    def _parts(self, pairs: Pairs) -> tuple[Doubles, Doubles]:
        """Return count(before, after) / count(before) of each pair, and the unigram's P(after)."""
        seen = self.before_counts[pairs.before]
        fallback = self.unigram.probabilities(pairs)
        return np.where(seen > 0, self._count(pairs) / np.maximum(seen, 1), fallback), fallback

    def _count(self, pairs: Pairs) -> Ids:
        codes = self._code(pairs)
        found = np.searchsorted(self.codes, codes).clip(max=len(self.codes) - 1)
        return np.where(self.codes[found] == codes, self.counts[found], 0)

    def _code(self, pairs: Pairs) -> Ids:
        return pairs.before * self.size + pairs.after


def perplexity(probabilities: Doubles) -> float:
    """Return the exponential of the mean negative log probability.

    Args:
        probabilities: the model's probability of each actual token, (N,).
    """
    return float(np.exp(-np.log(probabilities).mean()))


def ngram_perplexities(
    train: EncodedSplit, validation: EncodedSplit, test: EncodedSplit, vocabulary_size: int
) -> dict[str, float | int | None]:
    """Measure the perplexity of a unigram and a bigram model on the test split.

    Args:
        train: rows whose n-grams are counted.
        validation: rows on which the bigram's weight is chosen.
        test: rows to predict.
        vocabulary_size: number of entries, including padding and the unknown token.

    Returns:
        unigram_perplexity and bigram_perplexity, rounded to 6 decimals so that files stay stable,
        and tokens, the number of predicted tokens. Each text's end counts as a token.
    """
    counted, chosen, judged = (pairs_of(split) for split in (train, validation, test))
    bigram = Bigram(counted, chosen, vocabulary_size)
    return {
        "unigram_perplexity": round(perplexity(bigram.unigram.probabilities(judged)), 6),
        "bigram_perplexity": round(perplexity(bigram.probabilities(judged)), 6),
        "tokens": len(judged.after),
    }
