"""One linear model."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from sentigate.errors import DataError
from sentigate.evaluation.linear_model import (
    TrainingTexts,
    describe,
    fit_linear,
    log_count_ratios,
    ngrams_of,
)
from sentigate.settings.baseline import LinearModelParams

GOOD = ["a good film", "good fun and good cast", "what a good day", "really good"]
BAD = ["a bad film", "bad fun and bad cast", "what a bad day", "really bad"]
LABELS = np.array([1] * 4 + [0] * 4, dtype=np.int8)
PLAIN: dict[str, Any] = {
    "tokens": "words",
    "word_ngrams": [1, 2],
    "character_ngrams": None,
    "naive_bayes_smoothing": None,
    "min_count": 2,
    "inverse_regularization": 10.0,
}
KINDS: dict[str, dict[str, Any]] = {
    "tfidf": {},
    "nbsvm": {"naive_bayes_smoothing": 0.1},
    "word_character": {"character_ngrams": [2, 4]},
    "both": {"naive_bayes_smoothing": 0.1, "character_ngrams": [2, 4]},
}


def settings(**others: Any) -> LinearModelParams:
    return LinearModelParams.model_validate(PLAIN | others)


def probabilities(
    asked: list[str], texts: list[str] | None = None, seed: int = 42, **others: Any
) -> np.ndarray:
    training = TrainingTexts(texts or GOOD + BAD, LABELS)
    return fit_linear(training, settings(**others), seed).predict(asked)


@pytest.mark.parametrize("kind", KINDS)
def test_what_separates_the_labels_is_learned(kind: str) -> None:
    found = probabilities(["good", "bad", "GOOD thing", "a bad thing"], **KINDS[kind])
    assert found.dtype == np.float32
    assert found.shape == (4,)
    assert (found > 0.5).tolist() == [True, False, True, False]
    assert ((found > 0) & (found < 1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_an_unseen_text_gets_the_prior(kind: str) -> None:
    found = probabilities(["", "Жж", "zzz"], **KINDS[kind])
    assert found == pytest.approx(np.full(3, 0.5), abs=0.03)
    assert len(set(found)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_others_change_nothing_about_each_other(kind: str) -> None:
    together = probabilities(["good", "bad", "zzz good"], **KINDS[kind])
    assert together[0] == probabilities(["good"], **KINDS[kind])[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_again_and_after_other_models(kind: str) -> None:
    """Models share what they count, and none alters it."""
    training, asked = TrainingTexts(GOOD + BAD, LABELS), GOOD + BAD
    for other in KINDS.values():
        fit_linear(training, settings(**other), 42)
    shared = fit_linear(training, settings(**KINDS[kind]), 42).predict(asked)
    assert (shared == probabilities(asked, **KINDS[kind])).all()


def test_the_same_ngrams_are_counted_once() -> None:
    training = TrainingTexts(GOOD + BAD, LABELS)
    one, both = (fit_linear(training, settings(**KINDS[k]), 42) for k in ("nbsvm", "both"))
    assert one.vectorizers[0] is both.vectorizers[0]
    rarer = fit_linear(training, settings(min_count=3), 42)
    assert rarer.vectorizers[0] is not one.vectorizers[0]


def test_tfidf_is_scikit_learns_own() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32)
    theirs = make_pipeline(vectorizer, LogisticRegression(C=10, max_iter=1000))
    theirs.fit(GOOD + BAD, LABELS)
    asked = [*GOOD, *BAD, "good or bad", ""]
    expected = theirs.predict_proba(asked)[:, 1].astype(np.float32)
    assert (probabilities(asked) == expected).all()


def test_pairs_of_words_are_used_when_asked_for() -> None:
    """Every single word is as often in one label as in the other."""
    positive = ["not bad", "not bad at all", "good", "so good"]
    negative = ["not good", "not good at all", "bad", "so bad"]
    texts = positive + negative
    asked = ["not good", "not bad"]
    assert (probabilities(asked, texts) > 0.5).tolist() == [False, True]
    single = probabilities(asked, texts, word_ngrams=[1, 1])
    assert single == pytest.approx(np.full(2, 0.5), abs=0.1)


def test_signs_are_tokens_when_asked_for() -> None:
    texts = [f"{word} :)" for word in ("here", "there", "now", "then")]
    texts += [f"{word} :(" for word in ("here", "there", "now", "then")]
    words, signs = (
        probabilities([":)", ":("], texts, tokens=tokens) for tokens in ("words", "words_and_signs")
    )
    assert words == pytest.approx(np.full(2, 0.5), abs=1e-3)
    assert signs[0] > 0.7
    assert signs[1] < 0.3


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("it's I :) 5/5", ["it's", "i", ":", ")", "5", "/", "5"]),
        ("dogs’ day…", ["dogs", "’", "day", "…"]),
    ],
)
def test_words_keep_their_apostrophe_and_signs_stand_alone(text: str, tokens: list[str]) -> None:
    training = TrainingTexts([text] * 8, LABELS)
    (kind,) = ngrams_of(settings(tokens="words_and_signs", word_ngrams=[1, 1]))
    vectorizer, _ = training.vectorize(kind)
    assert vectorizer.build_analyzer()(text) == tokens


def test_characters_know_words_never_seen() -> None:
    asked = ["goodish", "baddest"]
    assert probabilities(asked) == pytest.approx(np.full(2, 0.5), abs=1e-3)
    found = probabilities(asked, character_ngrams=[2, 4])
    assert found[0] > 0.55
    assert found[1] < 0.45


def test_ratios_are_those_of_the_paper() -> None:
    """Counts of three words in two positive and two negative texts, by hand, with 1 added."""
    features = csr_array(np.array([[2, 0, 1], [1, 0, 1], [0, 3, 1], [0, 0, 1]], dtype=np.float32))
    found = log_count_ratios(features, np.array([1, 1, 0, 0], dtype=np.int8), 1.0)
    # p = 1 + (3, 0, 2), of 8; q = 1 + (0, 3, 2), of 8.
    expected = np.log([(4 / 8) / (1 / 8), (1 / 8) / (4 / 8), (3 / 8) / (3 / 8)])
    assert found == pytest.approx(expected)
    assert found.dtype == np.float32
    unequal = log_count_ratios(features[:3], np.array([1, 1, 0], dtype=np.int8), 1.0)
    assert unequal[0] == pytest.approx(np.log((4 / 8) / (1 / 7)))  # q = 1 + (0, 3, 1), of 7


def test_ratios_weigh_every_feature() -> None:
    """A model with ratios is one on features that were multiplied by hand."""
    from sklearn.linear_model import LogisticRegression

    chosen = settings(**KINDS["nbsvm"])
    training = TrainingTexts(GOOD + BAD, LABELS)
    model = fit_linear(training, chosen, 42)
    _, features = training.vectorize(ngrams_of(chosen)[0])
    ratios = log_count_ratios(features, LABELS, 0.1)
    by_hand = features.toarray() * ratios
    expected = LogisticRegression(C=10, max_iter=1000).fit(by_hand, LABELS).predict_proba(by_hand)
    assert model.predict(GOOD + BAD) == pytest.approx(expected[:, 1], abs=1e-4)


def test_regularization_pulls_towards_the_prior() -> None:
    weak, strong = (probabilities(["good"], inverse_regularization=c)[0] for c in (100.0, 0.01))
    assert weak > strong > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_no_ngram_left_is_a_data_error(kind: str) -> None:
    with pytest.raises(DataError, match="no baseline from 8 training texts"):
        probabilities(["good"], **{**KINDS[kind], "min_count": 99})


@pytest.mark.parametrize("kind", KINDS)
def test_one_label_is_a_data_error(kind: str) -> None:
    training = TrainingTexts(GOOD, LABELS[:4])
    with pytest.raises(DataError, match="class"):
        fit_linear(training, settings(**KINDS[kind], min_count=1), 1)


def test_what_it_is_is_said() -> None:
    assert describe(settings()) == "logistic regression on TF-IDF of runs of 1 to 2 words"
    both = settings(tokens="words_and_signs", word_ngrams=[1, 1], **KINDS["both"])
    assert describe(both) == (
        "logistic regression on TF-IDF of runs of 1 words and signs and of 2 to 4 characters, "
        "weighted by naive-Bayes ratios"
    )
