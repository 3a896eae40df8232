"""Fitting one linear model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from support import ROOT

from sentigate.data.vocabulary import cutter
from sentigate.errors import DataError
from sentigate.evaluation.linear_fit import (
    LEVEL,
    TrainingTexts,
    describe,
    fit_linear,
    log_count_ratios,
)
from sentigate.evaluation.ngram_counts import TokenIds, encode
from sentigate.model.linear_model import LinearModel
from sentigate.settings.baseline import LinearModelParams

GOOD = ["a good film", "good fun and good cast", "what a good day", "really good"]
BAD = ["a bad film", "bad fun and bad cast", "what a bad day", "really bad"]
LABELS = np.array([1] * 4 + [0] * 4, dtype=np.int8)
PLAIN: dict[str, Any] = {
    "word_ngrams": [1, 2],
    "character_ngrams": None,
    "naive_bayes_smoothing": None,
    "min_count": 2,
    "inverse_regularization": 10.0,
}
BAYES: dict[str, Any] = {"naive_bayes_smoothing": 1.0, "word_ngrams": [1, 3]}
KINDS: dict[str, dict[str, Any]] = {
    "words": {},
    "words_and_characters": {"character_ngrams": [2, 4]},
    "naive_bayes": BAYES,
    "all": {**BAYES, "character_ngrams": [2, 4]},
}


def settings(**others: Any) -> LinearModelParams:
    return LinearModelParams.model_validate(PLAIN | others)


def logits(
    asked: list[str], texts: list[str] | None = None, seed: int = 42, **others: Any
) -> np.ndarray:
    training = TrainingTexts(texts or GOOD + BAD, LABELS)
    return judge(training, fit_linear(training, settings(**others), seed), asked)


def judge(training: TrainingTexts, model: LinearModel, texts: list[str]) -> np.ndarray:
    return model.logits(*encode(training.tokenizer, texts))


@pytest.mark.parametrize("kind", KINDS)
def test_what_separates_the_labels_is_learned(kind: str) -> None:
    found = logits(["good", "bad", "good thing", "a bad thing"], **KINDS[kind])
    assert (found > 0).tolist() == [True, False, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unseen_text_gets_the_bias(kind: str) -> None:
    training = TrainingTexts(GOOD + BAD, LABELS)
    model = fit_linear(training, settings(**KINDS[kind]), 42)
    assert judge(training, model, ["", "Жж", "goodish zzz"]).tolist() == [model.bias] * 3
    assert abs(model.bias) < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_again_and_after_other_models(kind: str) -> None:
    """Models share what they count, and none alters it."""
    training, asked = TrainingTexts(GOOD + BAD, LABELS), GOOD + BAD
    for other in KINDS.values():
        fit_linear(training, settings(**other), 42)
    shared = judge(training, fit_linear(training, settings(**KINDS[kind]), 42), asked)
    assert (shared == logits(asked, **KINDS[kind])).all()


def test_pairs_of_words_are_used_when_asked_for() -> None:
    """Every single word is as often in one label as in the other."""
    positive = ["not bad", "not bad at all", "good", "so good"]
    negative = ["not good", "not good at all", "bad", "so bad"]
    texts, asked = positive + negative, ["not good", "not bad"]
    assert (logits(asked, texts) > 0).tolist() == [False, True]
    single = logits(asked, texts, word_ngrams=[1, 1])
    assert single == pytest.approx(np.zeros(2), abs=0.4)


def test_characters_know_rare_words() -> None:
    """Words in one text each have no n-gram of words, but characters of others."""
    texts = ["goodish", "goodly", "goodest", "goods", "baddest", "badly", "baddy", "bads"]
    found = logits(["goodly", "badly"], texts, word_ngrams=[1, 1], character_ngrams=[3, 3])
    assert found[0] > 0.1 > -0.1 > found[1]


def test_ratios_are_those_of_the_paper() -> None:
    """Counts of three words in two positive and two negative texts, by hand, with 1 added."""
    features = csr_array(np.array([[2, 0, 1], [1, 0, 1], [0, 3, 1], [0, 0, 1]], dtype=np.float32))
    found = log_count_ratios(features, np.array([1, 1, 0, 0], dtype=np.int8), 1.0)
    # p = 1 + (3, 0, 2), of 8; q = 1 + (0, 3, 2), of 8.
    expected = np.log([(4 / 8) / (1 / 8), (1 / 8) / (4 / 8), (3 / 8) / (3 / 8)])
    assert found == pytest.approx(expected)
    assert found.dtype == np.float32


def test_regularization_pulls_towards_the_prior() -> None:
    weak, strong = (logits(["good"], inverse_regularization=c)[0] for c in (100.0, 0.01))
    assert weak > strong > 0


@pytest.mark.parametrize("kind", ["words", "naive_bayes"])
def test_no_ngram_left_is_a_data_error(kind: str) -> None:
    with pytest.raises(DataError, match="no baseline from 8 training texts"):
        logits(["good"], **{**KINDS[kind], "min_count": 99})


@pytest.mark.parametrize("kind", KINDS)
def test_one_label_is_a_data_error(kind: str) -> None:
    training = TrainingTexts(GOOD, LABELS[:4])
    with pytest.raises(DataError, match="class"):
        fit_linear(training, settings(**KINDS[kind], min_count=1), 1)


def test_what_it_is_is_said() -> None:
    assert describe(settings()) == "logistic regression on TF-IDF of runs of 1 to 2 tokens"
    assert describe(settings(word_ngrams=[1, 1], **{**KINDS["all"], "word_ngrams": [1, 1]})) == (
        "logistic regression on naive-Bayes ratios of runs of 1 token and of 2 to 4 characters "
        "within them"
    )


# Against scikit-learn, on real texts


class Real:
    """A few hundred rows of the example table."""

    def __init__(self) -> None:
        table = pd.read_csv(ROOT / "data/own/example.csv", nrows=1500)
        table = table.loc[table["sentiment"].isin(["positive", "negative"])]
        texts = table["text"].str.lower().tolist()
        labels = (table["sentiment"] == "positive").to_numpy(dtype=np.int8)
        self.texts, self.labels = texts[:400], labels[:400]
        self.training = TrainingTexts(self.texts, self.labels)
        self.cut = cutter(self.training.tokenizer, LEVEL)
        # Unseen texts, none at all, unknown tokens only, and n-grams again and again.
        self.asked = [*self.texts[:50], *texts[400:], "", "qqq zzz", " ".join([texts[0]] * 5)]

    def ngrams(self, longest: int, text: str) -> list[str]:
        """Those without an unknown token, as scikit-learn counts them."""
        known, found = self.training.tokenizer.token_to_id, []
        tokens = [token if known(token) else "?" for token in self.cut(text)]
        for length in range(1, longest + 1):
            runs = (tokens[i : i + length] for i in range(len(tokens) - length + 1))
            found += [" ".join(run) for run in runs if "?" not in run]
        return found


@pytest.fixture(scope="module")
def real() -> Real:
    return Real()


def test_tfidf_is_scikit_learns_own(real: Real) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(
        analyzer=lambda text: real.ngrams(2, text), min_df=2, sublinear_tf=True
    )
    theirs = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=1000, tol=1e-7))
    theirs.fit(real.texts, real.labels)
    model = fit_linear(real.training, settings(), 42)
    assert len(model.codes) == len(vectorizer.vocabulary_)
    found, expected = judge(real.training, model, real.asked), theirs.decision_function(real.asked)
    assert np.sign(found).tolist() == np.sign(expected).tolist()
    swap_in(theirs[-1], model, vectorizer.get_feature_names_out(), real)
    assert found == pytest.approx(theirs.decision_function(real.asked), abs=1e-4)
