"""Fit linear models: TF-IDF or naive-Bayes n-grams, characters, logistic regression.

Such models are hard to beat: Wang and Manning 2012, "Baselines and Bigrams".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentigate.data.spacing import spacing
from sentigate.data.vocabulary import build_tokenizer, tokens_of
from sentigate.errors import DataError, counted
from sentigate.model.labels import Classes
from sentigate.model.linear_model import LinearDescription, LinearModel
from sentigate.model.text.encoding import Encoded, encode_texts
from sentigate.model.text.ngram_codes import FIRST_WORD, check_codes_fit
from sentigate.settings.baseline import LinearModelParams
from sentigate.settings.model import Level, VocabParams

from .ngram_counts import NgramCounts, count_ngrams, idf_of

SPACED_LEVEL: Level = "glove"
"""Level of tokens for texts with spaces between words; other texts are split into characters."""

Floats = npt.NDArray[np.float32]


class CharacterBlock(NamedTuple):
    """The character n-grams of texts, computed from their tokens.

    Attributes:
        of_tokens: sparse, (V, n) float32, counts in each token times inverse document frequency,
            times one common factor. It gives the rows of ``features`` an average length of 1.
        features: sparse, (rows, n) float32, sum of ``of_tokens`` over a text's tokens, divided by
            the square root of their number.
    """

    of_tokens: Any
    features: Any


class TrainingTexts:
    """Texts to fit linear models on. Their n-grams are counted once for all models.

    Args:
        texts: training texts.
        labels: classes of the texts, int8, (texts,).
        classes: the classes.

    Attributes:
        labels: classes of the texts.
        classes: the classes.
        level: level of the tokens: GloVe's, or characters for texts without spaces between words.
        tokenizer: tokenizer that knows every token of the texts.
        words: entries of the tokenizer by id.
        tokens: token ids of the texts.

    Raises:
        DataError: the texts have no token, or a class has no text.
    """

    def __init__(
        self, texts: Sequence[str], labels: npt.NDArray[np.int8], classes: Classes
    ) -> None:
        self.labels, self.classes = labels, classes
        counts = np.bincount(labels, minlength=classes.count)
        if lacking := [name for name, n in zip(classes.names, counts, strict=True) if not n]:
            raise DataError(
                f"no baseline from {counted(len(labels), 'training text')}: none of them is "
                f"{' or '.join(lacking)}; add rows of every class, or leave a class out of "
                "datasets/X.yaml:classes"
            )
        self.level: Level = SPACED_LEVEL if spacing(texts).parts_words else "character"
        self.tokenizer = build_tokenizer(texts, _every_token(self.level))
        self.words = tokens_of(self.tokenizer)
        self.tokens = encode_texts(self.tokenizer, texts)
        self._counted: dict[tuple[tuple[int, int], int], NgramCounts] = {}

    def lengths(self, settings: LinearModelParams) -> tuple[int, int]:
        """Return the lengths of the shortest and the longest n-gram, in tokens.

        If tokens are characters, the longest n-gram has the larger of the two lengths in
        ``settings``, but at most the length that still has 64-bit codes.
        """
        shortest, longest = settings.word_ngrams
        if self.level == "character":
            longest = max(longest, *(settings.character_ngrams or (1,)))
            while longest > shortest and len(self.words) ** longest > 2**63:
                longest -= 1
        return shortest, longest

    def count(self, lengths: tuple[int, int], min_count: int) -> NgramCounts:
        """Count the n-grams of tokens that are in at least ``min_count`` texts."""
        kind = lengths, min_count
        if kind not in self._counted:
            try:
                check_codes_fit(len(self.words), lengths[1])
            except ValueError as error:
                raise DataError(f"no baseline from these training texts: {error}") from None
            self._counted[kind] = count_ngrams(self.tokens, lengths, len(self.words), min_count)
        return self._counted[kind]

    def characters(self, lengths: tuple[int, int], min_count: int) -> CharacterBlock:
        """Compute features of character n-grams in at least ``min_count`` different tokens."""
        from scipy.sparse import csr_array, diags_array
        from sklearn.feature_extraction.text import CountVectorizer

        vectorizer = CountVectorizer(
            analyzer="char_wb",
            ngram_range=lengths,
            min_df=min_count,
            lowercase=False,
            dtype=np.float32,
        )
        seen = [""] * FIRST_WORD + self.words[FIRST_WORD:]
        of_tokens = csr_array(vectorizer.fit_transform(seen))
        ids, offsets = self.tokens
        ones = np.ones(len(ids), dtype=np.float32)
        shape = len(offsets) - 1, len(self.words)
        held = csr_array((ones, ids.astype(np.int32), offsets.astype(np.int32)), shape=shape)
        counts = held @ of_tokens
        scale = (1 / np.sqrt(np.diff(offsets).clip(min=1))).astype(np.float32)
        counts.data *= scale.repeat(np.diff(counts.indptr))
        idf = idf_of(counts)
        counts.data *= idf[counts.indices]
        lengths_of_rows = np.sqrt(np.bincount(_rows_of(counts), counts.data**2, shape[0]))
        factor = np.float32(1 / (lengths_of_rows.mean() or 1))
        counts.data *= factor
        return CharacterBlock(of_tokens @ diags_array(idf * factor), counts)


class TokenizedTexts(TrainingTexts):
    """Texts to fit linear models on, as tokens of other texts' tokenizer: none is counted twice.

    Args:
        like: the other texts.
        tokens: token ids of the texts; a token that the other texts lack is unknown.
        labels: classes of the texts; each class has one of them.
        classes: the classes.
    """

    def __init__(
        self, like: TrainingTexts, tokens: Encoded, labels: npt.NDArray[np.int8], classes: Classes
    ) -> None:
        self.labels, self.classes, self.level = labels, classes, like.level
        self.tokenizer, self.words, self.tokens = like.tokenizer, like.words, tokens
        self._counted = {}


class PartOfTexts(TrainingTexts):
    """Some of the texts, to fit on; their n-grams are those of all texts.

    Which n-grams there are depends on no label, so a model of the part knows nothing about the
    labels of the other texts.

    Args:
        whole: all texts.
        rows: (n,) indices of texts; each class has one of them.
    """

    def __init__(self, whole: TrainingTexts, rows: npt.NDArray[np.int64]) -> None:
        self.labels, self.classes, self.level = whole.labels[rows], whole.classes, whole.level
        self.tokenizer, self.words = whole.tokenizer, whole.words
        self.tokens = take(whole.tokens, rows)
        self._whole, self._rows = whole, rows

    def count(self, lengths: tuple[int, int], min_count: int) -> NgramCounts:
        """Count the n-grams of tokens that are in at least ``min_count`` of all texts."""
        codes, counts = self._whole.count(lengths, min_count)
        return NgramCounts(codes, counts[self._rows])

    def characters(self, lengths: tuple[int, int], min_count: int) -> CharacterBlock:
        """Return the part's features of character n-grams."""
        of_tokens, features = self._whole.characters(lengths, min_count)
        return CharacterBlock(of_tokens, features[self._rows])


def take(texts: Encoded, rows: npt.NDArray[np.int64]) -> Encoded:
    """Return the token ids of some texts."""
    lengths = np.diff(texts.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shift = np.repeat(texts.offsets[rows] - offsets[:-1], lengths)
    return Encoded(texts.ids[np.arange(len(shift)) + shift], offsets)


def _every_token(level: Level) -> VocabParams:
    """Return settings of an unlimited vocabulary, unchecked, because params.yaml has a limit."""
    return VocabParams.model_construct(level=level, min_count=1, max_size=2**31, order="frequency")


def fit_linear(training: TrainingTexts, settings: LinearModelParams, seed: int) -> LinearModel:
    """Fit one model: L2-regularised logistic regression on the n-grams that ``settings`` names.

    With more than two classes, TF-IDF models are multinomial. Naive-Bayes ratios are those of one
    class against the rest, so these models fit one regression for each class.

    Raises:
        DataError: no n-gram is in enough texts.
    """
    from scipy.sparse import hstack
    from threadpoolctl import threadpool_limits

    lengths = training.lengths(settings)
    codes, counts = training.count(lengths, settings.min_count)
    idf, block, smoothing = None, None, settings.naive_bayes_smoothing
    try:
        with threadpool_limits(1):  # with several, the last bits of sums differ
            if settings.character_ngrams and training.level == SPACED_LEVEL:
                block = training.characters(settings.character_ngrams, settings.min_count)
            beside = [] if block is None else [block.features]
            if smoothing is None:
                idf = idf_of(counts)
                features = hstack([tfidf(counts, idf), *beside], format="csr")
                fitted = _regression(features, training.labels, settings, "lbfgs", seed)
            else:
                ones, parts = counts.sign(), []
                later = [1] if training.classes.count == 2 else range(training.classes.count)
                for label in later:  # one class against the rest
                    chosen = training.labels == label
                    ratios = log_count_ratios(ones, chosen, smoothing)
                    features = ones.copy()
                    features.data *= ratios[features.indices]
                    features = hstack([features, *beside], format="csr")
                    part = _regression(features, chosen, settings, "liblinear", seed)
                    part.weights[:, : len(codes)] *= ratios
                    parts.append(part)
                fitted = _Regression(*map(np.concatenate, zip(*parts, strict=True)))
    except ValueError as error:  # scikit-learn names what is missing
        rows = len(training.labels)
        raise DataError(f"no baseline from {counted(rows, 'training text')}: {error}") from None
    weights, of_characters = np.split(fitted.weights, [len(codes)], axis=1)
    return LinearModel(
        LinearDescription(
            description=describe(settings, training),
            ngrams=lengths,
            weighting="tfidf" if smoothing is None else "naive_bayes",
            words=tuple(training.words),
        ),
        codes,
        np.ascontiguousarray(weights),
        idf,
        None if block is None else np.stack([block.of_tokens @ each for each in of_characters]),
        fitted.bias,
    )


class _Regression(NamedTuple):
    """Fitted weights, (S, features) float32, and biases, (S,) float32."""

    weights: Floats
    bias: Floats


def _regression(
    features: Any, labels: npt.NDArray[Any], settings: LinearModelParams, solver: str, seed: int
) -> _Regression:
    from sklearn.linear_model import LogisticRegression

    classifier = LogisticRegression(
        C=settings.inverse_regularization, solver=solver, max_iter=1000, random_state=seed
    )
    classifier.fit(features, labels)
    return _Regression(
        classifier.coef_.astype(np.float32), classifier.intercept_.astype(np.float32)
    )


def tfidf(counts: Any, idf: Floats) -> Any:
    """Return (1 + ln count) times ``idf``, rows scaled to length 1; sparse, (rows, n) float32."""
    features = counts.copy()
    features.data = (1 + np.log(features.data)) * idf[features.indices]
    norms = np.sqrt(np.bincount(_rows_of(features), features.data**2, features.shape[0]))
    features.data /= norms.clip(min=1e-12).astype(np.float32)[_rows_of(features)]
    return features


def log_count_ratios(features: Any, chosen: npt.NDArray[np.bool_], smoothing: float) -> Floats:
    """Return each n-gram's naive-Bayes log-count ratio (Wang and Manning 2012).

    r = ln((p / |p|) / (q / |q|)), where p and q are the sums of the features over the chosen and
    over the other texts, each sum plus ``smoothing``, and |.| is the sum over all n-grams.

    Args:
        features: sparse, (texts, n-grams), 0 or 1.
        chosen: (texts,), whether the text is of the class.
        smoothing: addend of each count, more than 0.

    Returns:
        (n-grams,) float32; 0 for an n-gram that is equally common in both.
    """
    inside, outside = (
        np.asarray(features[rows].sum(axis=0), dtype=np.float64).ravel() + smoothing
        for rows in (chosen, ~chosen)
    )
    ratios = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return np.asarray(ratios, dtype=np.float32)


def describe(settings: LinearModelParams, training: TrainingTexts) -> str:
    """Describe the model in a phrase."""
    unit = "token" if training.level == SPACED_LEVEL else "character"
    runs = _lengths(training.lengths(settings), unit)
    if settings.naive_bayes_smoothing is None:
        kinds = [f"TF-IDF of runs of {runs}"]
    else:
        kinds = [f"naive-Bayes ratios of runs of {runs}"]
    if settings.character_ngrams and training.level == SPACED_LEVEL:
        kinds.append(f"of {_lengths(settings.character_ngrams, 'character')} within them")
    return f"logistic regression on {' and '.join(kinds)}"


def _lengths(ngrams: tuple[int, int], unit: str) -> str:
    shortest, longest = ngrams
    return counted(longest, unit) if shortest == longest else f"{shortest} to {longest} {unit}s"


def _rows_of(matrix: Any) -> npt.NDArray[np.int64]:
    """Return the row of each stored value, (nnz,) int64."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
