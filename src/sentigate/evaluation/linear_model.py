"""Linear models of texts: TF-IDF of n-grams, naive-Bayes ratios, logistic regression.

Such models are hard to beat: Wang and Manning 2012, "Baselines and Bigrams".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError, counted
from sentigate.settings.baseline import LinearModelParams

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

PATTERNS = {
    "words": r"(?u)\b\w\w+\b",  # scikit-learn's own
    "words_and_signs": r"\w+(?:['’]\w+)*|[^\w\s]",  # signs carry sentiment: ":)" and "!"
}
"""What a token is, by ``LinearModelParams.tokens``."""


class Ngrams(NamedTuple):
    """What a vectorizer counts; models that count the same share it.

    Attributes:
        analyzer: scikit-learn's: ``word``, or ``char_wb`` for characters within a word's edges.
        pattern: of a token; the words of ``char_wb`` are what stands between spaces.
        lengths: the shortest and the longest.
        min_count: training texts that an n-gram must be in.
    """

    analyzer: str
    pattern: str
    lengths: tuple[int, ...]
    min_count: int


def ngrams_of(settings: LinearModelParams) -> list[Ngrams]:
    """The one or two kinds of n-grams that a model reads."""
    words = PATTERNS[settings.tokens]
    kinds = [Ngrams("word", words, settings.word_ngrams, settings.min_count)]
    if settings.character_ngrams:
        kinds.append(Ngrams("char_wb", "", settings.character_ngrams, settings.min_count))
    return kinds


class TrainingTexts:
    """Texts to fit linear models on; their n-grams are counted once for all models.

    Args:
        texts: of the training split.
        labels: 0 or 1, int8, (texts,).
    """

    def __init__(self, texts: Sequence[str], labels: npt.NDArray[np.int8]) -> None:
        self.texts = texts
        self.labels = labels
        self._counted: dict[Ngrams, tuple[TfidfVectorizer, Any]] = {}

    def vectorize(self, kind: Ngrams) -> tuple[TfidfVectorizer, Any]:
        """A vectorizer fitted on the texts, and their TF-IDF.

        Returns:
            The second is a sparse matrix in rows, (texts, n-grams), float32: in each text,
            1 + ln(count), times ln((1 + texts) / (1 + texts with it)) + 1, scaled to length 1.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        if kind not in self._counted:
            vectorizer = TfidfVectorizer(
                analyzer=kind.analyzer,
                token_pattern=kind.pattern if kind.analyzer == "word" else None,
                ngram_range=kind.lengths,
                min_df=kind.min_count,
                sublinear_tf=True,
                dtype=np.float32,
            )
            self._counted[kind] = vectorizer, vectorizer.fit_transform(self.texts)
        return self._counted[kind]


@dataclass(frozen=True)
class LinearModel:
    """A fitted model.

    Attributes:
        vectorizers: one for each kind of n-grams; their columns stand side by side.
        ratios: what each column is multiplied by, float32, (columns,); None for nothing.
        classifier: of the columns.
    """

    vectorizers: tuple[TfidfVectorizer, ...]
    ratios: npt.NDArray[np.float32] | None
    classifier: LogisticRegression

    def predict(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """P(positive) of each text, (texts,); the last bits differ between processors."""
        from scipy.sparse import hstack

        features = hstack([v.transform(texts) for v in self.vectorizers], format="csr")
        probabilities = self.classifier.predict_proba(_weighted(features, self.ratios))[:, 1]
        return np.asarray(probabilities, dtype=np.float32)


def fit_linear(training: TrainingTexts, settings: LinearModelParams, seed: int) -> LinearModel:
    """Fit one model: L2-regularised logistic regression on the n-grams that ``settings`` names.

    Raises:
        DataError: the texts hold one label only, or no n-gram often enough.
    """
    from scipy.sparse import hstack
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    classifier = LogisticRegression(
        C=settings.inverse_regularization, max_iter=1000, random_state=seed
    )
    try:
        with threadpool_limits(1):  # the sums of several differ in their last bits
            fitted = [training.vectorize(kind) for kind in ngrams_of(settings)]
            features, ratios = hstack([tfidf for _, tfidf in fitted], format="csr"), None
            if settings.naive_bayes_smoothing:
                ratios = log_count_ratios(features, training.labels, settings.naive_bayes_smoothing)
            classifier.fit(_weighted(features, ratios), training.labels)
    except ValueError as error:  # scikit-learn names what is missing
        raise DataError(
            f"no baseline from {counted(len(training.texts), 'training text')}: {error}"
        ) from None
    return LinearModel(tuple(vectorizer for vectorizer, _ in fitted), ratios, classifier)


def log_count_ratios(
    features: Any, labels: npt.NDArray[np.int8], smoothing: float
) -> npt.NDArray[np.float32]:
    """How much likelier each n-gram is in positive texts: naive Bayes, as Wang and Manning 2012.

    r = ln((p / |p|) / (q / |q|)), where p and q are the sums of the features over positive and
    over negative texts, each sum plus ``smoothing``, and |.| is the sum over all n-grams. The paper
    counts each n-gram once a text and adds 1; TF-IDF is smaller, and so is what is added.

    Args:
        features: sparse, (texts, n-grams), 0 or more.
        labels: 0 or 1, (texts,).
        smoothing: more than 0.

    Returns:
        (n-grams,); 0 for what is as common in both.
    """
    positive, negative = (
        np.asarray(features[labels == label].sum(axis=0), dtype=np.float64).ravel() + smoothing
        for label in (1, 0)
    )
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return np.asarray(ratios, dtype=np.float32)


def _weighted(features: Any, ratios: npt.NDArray[np.float32] | None) -> Any:
    """The features, each column times its ratio."""
    from scipy.sparse import diags_array

    return features if ratios is None else features @ diags_array(ratios)


def describe(settings: LinearModelParams) -> str:
    """What the model is, within a sentence."""
    tokens = settings.tokens.replace("_", " ")
    runs = [_lengths(settings.word_ngrams, tokens)]
    if settings.character_ngrams:
        runs.append(_lengths(settings.character_ngrams, "characters"))
    ratios = ", weighted by naive-Bayes ratios" if settings.naive_bayes_smoothing else ""
    return f"logistic regression on TF-IDF of runs of {' and of '.join(runs)}{ratios}"


def _lengths(ngrams: tuple[int, ...], unit: str) -> str:
    shortest, longest = ngrams
    return f"{shortest} {unit}" if shortest == longest else f"{shortest} to {longest} {unit}"
