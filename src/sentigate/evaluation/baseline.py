"""The linear baseline: TF-IDF with logistic regression, which a network has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sentigate.errors import DataError, counted


def fit_predict(
    train_texts: Sequence[str],
    train_labels: npt.NDArray[np.int8],
    other_texts: Sequence[str],
    *,
    max_ngram: int,
    min_count: int,
    inverse_regularization: float,
    seed: int,
) -> npt.NDArray[np.float32]:
    """Fit on the training texts and give P(positive) of the others.

    Sublinear TF-IDF over word 1- to ``max_ngram``-grams found in at least ``min_count`` training
    texts, then L2-regularised logistic regression (Wang and Manning 2012 show how hard such
    models are to beat).

    Returns:
        (other rows,) float32 probabilities; the solver's last bits differ between processors.

    Raises:
        DataError: the training texts hold one label only, or no n-gram ``min_count`` times.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    vectorizer = TfidfVectorizer(
        ngram_range=(1, max_ngram), min_df=min_count, sublinear_tf=True, dtype=np.float32
    )
    classifier = LogisticRegression(C=inverse_regularization, max_iter=1000, random_state=seed)
    try:
        with threadpool_limits(1):  # the sums of several differ in their last bits
            classifier.fit(vectorizer.fit_transform(train_texts), train_labels)
    except ValueError as error:  # scikit-learn names what is missing
        raise DataError(
            f"no baseline from {counted(len(train_texts), 'training text')}: {error}"
        ) from None
    probabilities = classifier.predict_proba(vectorizer.transform(other_texts))[:, 1]
    return np.asarray(probabilities, dtype=np.float32)
