"""Fitting the n-gram part, and what it says of texts that it was not fitted on.

Logistic regression on counts of tokens, of runs of tokens and of the character n-grams in tokens,
each times its inverse document frequency and its naive-Bayes log-count ratio (Wang and Manning
2012, eq. 2), and divided by the square root of the text's length. As that is all linear, the
character n-grams of a token add up to one weight of the token: a rare word, or one that no
training text holds, is judged by its parts, and nothing but token ids is needed to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse

from sentigate.errors import DataError, counted
from sentigate.model.network.batches import EncodedSplit
from sentigate.model.network.ngrams import NgramPart, run_codes
from sentigate.model.text.encoding import UNKNOWN_ID
from sentigate.progress import doing
from sentigate.settings.model import NgramParams

SMOOTHING = 0.1
"""Added to every count before ratios are taken, against ratios of what one class never holds."""

Floats = npt.NDArray[np.float32]


class FittedNgrams(NamedTuple):
    """An n-gram part, and its answers to its own training texts.

    Attributes:
        part: fitted on all rows.
        held_out: (rows,) float32, the logit of each row by a part that was fitted without its
            fold. One fitted with it has learned the label by heart, and a network trained beside
            that learns nothing.
    """

    part: NgramPart
    held_out: Floats


def fit_ngrams(
    train: EncodedSplit,
    groups: Sequence[Any],
    vocabulary: Sequence[str],
    params: NgramParams,
    *,
    seed: int,
) -> FittedNgrams:
    """Fit the part on the training rows, and once without each fold of groups.

    Args:
        train: the rows.
        groups: of each row; rows of one group share a fold.
        vocabulary: the tokens by id; the first is padding.
        params: which n-grams, and how they are fitted.
        seed: of the folds.

    Raises:
        DataError: there are fewer groups than folds, or a fold leaves one label only.
    """
    from sklearn.model_selection import GroupKFold

    counts = _Counts(train, vocabulary, params)
    labels = np.asarray(train.labels)
    if (found := len(set(groups))) < params.folds:
        raise DataError(
            f"the n-gram part needs {params.folds} groups of training rows, one a fold, and there "
            f"are {counted(found, 'group')}; lower ngrams.folds, or set ngrams to null"
        )
    held_out = np.zeros(len(labels), dtype=np.float32)
    folds = GroupKFold(params.folds, shuffle=True, random_state=seed)
    for number, (rows, others) in enumerate(folds.split(labels, labels, groups), 1):
        doing(f"fitting the n-gram part, fold {number} of {params.folds}")
        weights, bias = _fit(counts.features[rows], counts.scale[rows], labels[rows], params)
        held_out[others] = (counts.features[others] @ weights) * counts.scale[others] + bias
    doing("fitting the n-gram part on all rows")
    weights, bias = _fit(counts.features, counts.scale, labels, params)
    return FittedNgrams(counts.part(weights, bias), held_out)


class _Counts:
    """What texts are made of.

    Attributes:
        features: (rows, V + runs + character n-grams) float32 counts.
        scale: (rows,) float32, 1 / sqrt(tokens).
    """

    def __init__(self, train: EncodedSplit, vocabulary: Sequence[str], params: NgramParams) -> None:
        self.size = len(vocabulary)
        ids, lengths = np.asarray(train.ids), np.asarray(train.lengths)
        inside = np.arange(ids.shape[1]) < lengths[:, None]
        self.scale = (1 / np.sqrt(lengths)).astype(np.float32)
        tokens = _count(inside.nonzero()[0], ids[inside].astype(np.int64), len(ids), self.size)
        runs = [_runs(ids, lengths, n, self.size) for n in range(2, params.longest + 1)]
        rows, codes = (
            (np.concatenate(parts) for parts in zip(*runs, strict=True))
            if runs
            else (np.empty(0, np.int64), np.empty(0, np.int64))
        )
        self.codes, places, seen = np.unique(codes, return_inverse=True, return_counts=True)
        often = seen >= params.min_count
        place = np.cumsum(often) - 1
        self.codes = self.codes[often]
        kept = often[places]
        runs_matrix = _count(rows[kept], place[places[kept]], len(ids), len(self.codes))
        parts = [tokens, runs_matrix]
        self.characters = _characters(tokens, vocabulary, params)
        if self.characters is not None:
            parts.append(tokens @ self.characters)
        self.features = sparse.hstack(parts, format="csr", dtype=np.float32)

    def part(self, weights: Floats, bias: float) -> NgramPart:
        """The part with these weights of features; those of characters become the tokens'."""
        part = NgramPart(self.size, len(self.codes))
        of_tokens, of_runs, of_characters = np.split(
            weights, [self.size, self.size + len(self.codes)]
        )
        if self.characters is not None:
            of_tokens = of_tokens + self.characters @ of_characters
        part.bias.fill_(bias)
        part.tokens.copy_(torch.from_numpy(of_tokens))
        part.codes.copy_(torch.from_numpy(self.codes))
        part.weights.copy_(torch.from_numpy(of_runs))
        return part


def _runs(
    ids: npt.NDArray[Any], lengths: npt.NDArray[np.int32], length: int, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and code of every run of ``length`` tokens."""
    codes = run_codes(torch.from_numpy(ids.astype(np.int64)), length, size).numpy()
    rows, places = (np.arange(codes.shape[1]) <= (lengths - length)[:, None]).nonzero()
    return rows, codes[rows, places]


def _count(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], height: int, width: int
) -> sparse.csr_matrix:
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_matrix((ones, (rows, columns)), shape=(height, width))


def _characters(
    tokens: sparse.csr_matrix, vocabulary: Sequence[str], params: NgramParams
) -> sparse.csr_matrix | None:
    """How often each character n-gram of the training texts' tokens is in each token, (V, n)."""
    from sklearn.feature_extraction.text import CountVectorizer

    if params.characters is None:
        return None
    words = np.array(vocabulary, dtype=object)
    words[: UNKNOWN_ID + 1] = ""
    seen = np.asarray(tokens.sum(axis=0)).ravel() > 0
    vectorizer = CountVectorizer(
        analyzer="char_wb",
        ngram_range=params.characters,
        lowercase=False,
        min_df=2,
        dtype=np.float32,
    )
    return vectorizer.fit(words[seen]).transform(words)


def _fit(
    features: sparse.csr_matrix, scale: Floats, labels: npt.NDArray[np.int8], params: NgramParams
) -> tuple[Floats, float]:
    """The weight of each count, (features,) float32, and the bias."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    rows = len(labels)
    positive, negative = (
        np.asarray(features[labels == label].sum(axis=0)).ravel() + SMOOTHING for label in (1, 0)
    )
    ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    holding = np.bincount(features.indices, minlength=features.shape[1])
    strength = ((np.log((1 + rows) / (1 + holding)) + 1) * ratio).astype(np.float32)
    weighted = features.copy()
    weighted.data *= strength[features.indices] * scale.repeat(np.diff(features.indptr))
    classifier = LogisticRegression(C=params.inverse_regularization, max_iter=1000)
    try:
        with threadpool_limits(1):  # the sums of several differ in their last bits
            classifier.fit(weighted, labels)
    except ValueError as error:  # scikit-learn names what is missing
        raise DataError(
            f"no n-gram part from {counted(rows, 'training row')}: {error}; "
            "set ngrams to null in the model's entry"
        ) from None
    return strength * classifier.coef_[0].astype(np.float32), float(classifier.intercept_[0])
