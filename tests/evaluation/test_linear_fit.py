"""Fitting one linear model."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, diags_array, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from support.project import ROOT

from sentigate.data.vocabulary import cutter
from sentigate.errors import DataError
from sentigate.evaluation.linear_fit import (
    SPACED_LEVEL,
    TrainingTexts,
    describe,
    fit_linear,
    log_count_ratios,
)
from sentigate.model.labels import CLASSES
from sentigate.model.linear_model import LinearModel
from sentigate.model.text.encoding import encode_texts
from sentigate.model.text.ngram_codes import digits
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
    return model.logits(*encode_texts(training.tokenizer, texts))


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_separate_the_labels_are_learned(kind: str) -> None:
    found = logits(["good", "bad", "good thing", "a bad thing"], **KINDS[kind])
    assert (found > 0).tolist() == [True, False, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unseen_text_gets_the_bias(kind: str) -> None:
    training = TrainingTexts(GOOD + BAD, LABELS)
    model = fit_linear(training, settings(**KINDS[kind]), 42)
    assert judge(training, model, ["", "Жж", "goodish zzz"]).tolist() == [model.bias] * 3
    assert abs(model.bias) < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_other_fitted_models_do_not_change_a_bit(kind: str) -> None:
    """Models share their counts, and no model changes them."""
    training, asked = TrainingTexts(GOOD + BAD, LABELS), GOOD + BAD
    for other in KINDS.values():
        fit_linear(training, settings(**other), 42)
    shared = judge(training, fit_linear(training, settings(**KINDS[kind]), 42), asked)
    assert (shared == logits(asked, **KINDS[kind])).all()


def test_pairs_of_words_are_used_when_asked_for() -> None:
    """Every single word occurs equally often with both labels."""
    positive = ["not bad", "not bad at all", "good", "so good"]
    negative = ["not good", "not good at all", "bad", "so bad"]
    texts, asked = positive + negative, ["not good", "not bad"]
    assert (logits(asked, texts) > 0).tolist() == [False, True]
    single = logits(asked, texts, word_ngrams=[1, 1])
    assert single == pytest.approx(np.zeros(2), abs=0.4)


def test_characters_help_with_rare_words() -> None:
    """A word of one text is no n-gram of the model, but it shares characters with others."""
    texts = ["goodish", "goodly", "goodest", "goods", "baddest", "badly", "baddy", "bads"]
    found = logits(["goodly", "badly"], texts, word_ngrams=[1, 1], character_ngrams=[3, 3])
    assert found[0] > 0.1 > -0.1 > found[1]


def test_log_count_ratios_match_a_hand_calculation() -> None:
    """Three words are counted in two positive and two negative texts; smoothing is 1."""
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


def test_describe_names_ngrams_and_weighting() -> None:
    training = TrainingTexts(GOOD + BAD, LABELS)
    assert describe(settings(), training) == (
        "logistic regression on TF-IDF of runs of 1 to 2 tokens"
    )
    assert describe(settings(**{**KINDS["all"], "word_ngrams": [1, 1]}), training) == (
        "logistic regression on naive-Bayes ratios of runs of 1 token and of 2 to 4 characters "
        "within them"
    )


# Texts without spaces

HOTELS = [
    *("房间很干净，服务态度非常好，下次还会来。", "位置好，房间干净，早餐很好吃。"),
    *("非常满意，前台服务很好，推荐。", "环境干净舒适，性价比很好，很满意。"),
    *("房间很脏，服务态度非常差，不会再来。", "位置差，房间太脏，早餐很难吃。"),
    *("非常失望，前台服务很差，不推荐。", "环境脏乱，性价比很差，很失望。"),
]
ASKED_OF_HOTELS = ["酒店的早餐和环境都很好，满意", "酒店的早餐和环境都很差，失望"]


@pytest.mark.parametrize("kind", KINDS)
def test_texts_without_spaces_are_split_into_characters(kind: str) -> None:
    """Between two punctuation marks, no whole run of the asked texts is in training."""
    found = logits(ASKED_OF_HOTELS, HOTELS, **KINDS[kind])
    assert (found > 0).tolist() == [True, False]


def test_describe_names_characters() -> None:
    training = TrainingTexts(HOTELS, LABELS)
    assert describe(settings(character_ngrams=[2, 5]), training) == (
        "logistic regression on TF-IDF of runs of 1 to 5 characters"
    )
    assert describe(settings(**BAYES), training) == (
        "logistic regression on naive-Bayes ratios of runs of 1 to 3 characters"
    )
    assert fit_linear(training, settings(), 1).about.description.endswith("1 to 2 characters")


def test_character_ngrams_are_limited_by_64_bit_codes() -> None:
    """An n-gram of five out of 20,000 characters has no 64-bit code."""
    signs = [chr(number) for number in range(0x4E00, 0x4E00 + 20_000)]
    texts = ["".join(signs[start : start + 50]) for start in range(0, 20_000, 50)]
    training = TrainingTexts(texts, np.arange(400, dtype=np.int8) % 2)
    assert training.lengths(settings(character_ngrams=[2, 5])) == (1, 4)
    model = fit_linear(training, settings(character_ngrams=[2, 5], min_count=1), 1)
    assert np.isfinite(judge(training, model, texts)).all()


# Against scikit-learn, on real texts


class Real:
    """A few hundred rows of the example table, and texts to predict."""

    def __init__(self) -> None:
        table = pd.read_csv(ROOT / "data/own/example.csv", nrows=1500)
        table = table.loc[table["sentiment"].isin(CLASSES)]
        texts = table["text"].str.lower().tolist()
        self.texts = texts[:400]
        self.labels = (table["sentiment"] == CLASSES[1]).to_numpy(dtype=np.int8)[:400]
        self.training = TrainingTexts(self.texts, self.labels)
        self.cut = cutter(self.training.tokenizer, SPACED_LEVEL)
        # Also unseen texts, an empty text, unknown tokens only, and repeated n-grams.
        self.asked = [*self.texts[:50], *texts[400:700], "", "qqq zzz", " ".join(texts[:1] * 5)]

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text, with "" for an unknown token."""
        known = self.training.tokenizer.token_to_id
        return ["" if known(token) is None else token for token in self.cut(text)]

    def ngrams(self, longest: int) -> Callable[[str], list[str]]:
        """Return scikit-learn's analyzer: runs of tokens without an unknown token."""

        def analyzer(text: str) -> list[str]:
            tokens = self.tokens(text)
            runs = [
                tokens[i : i + n] for n in range(1, longest + 1) for i in range(len(tokens) - n + 1)
            ]
            return [" ".join(run) for run in runs if all(run)]

        return analyzer

    def characters(self, text: str) -> list[str]:
        """Return the character n-grams of every known token."""
        return [
            padded[i : i + n]
            for token in self.tokens(text)
            if token
            for padded in [f" {token} "]
            for n in range(2, 6)
            for i in range(len(padded) - n + 1)
        ]


@pytest.fixture(scope="module")
def real() -> Real:
    return Real()


def in_order(vectorizer: CountVectorizer, model: LinearModel, size: int) -> list[int]:
    """Return the vectorizer's columns in the order of the model's n-grams."""
    names = [
        " ".join(model.about.words[int(each[0])] for each in digits(np.array([code]), size))
        for code in model.codes.tolist()
    ]
    assert set(names) == set(vectorizer.vocabulary_)
    return [vectorizer.vocabulary_[name] for name in names]


def test_tfidf_equals_scikit_learn(real: Real) -> None:
    vectorizer = TfidfVectorizer(
        analyzer=real.ngrams(2), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    features = vectorizer.fit_transform(real.texts)
    model = fit_linear(real.training, settings(), 42)
    order = in_order(vectorizer, model, len(real.training.words))
    theirs = LogisticRegression(C=10, max_iter=1000).fit(features[:, order], real.labels)
    expected = theirs.decision_function(vectorizer.transform(real.asked)[:, order])
    assert judge(real.training, model, real.asked) == pytest.approx(expected, abs=1e-4)
    assert np.std(expected) > 0.5


def test_naive_bayes_equals_scikit_learn(real: Real) -> None:
    vectorizer = CountVectorizer(analyzer=real.ngrams(3), min_df=2, binary=True, dtype=np.float32)
    features = vectorizer.fit_transform(real.texts)
    model = fit_linear(real.training, settings(**BAYES, inverse_regularization=0.1), 42)
    order = in_order(vectorizer, model, len(real.training.words))
    ratios = diags_array(log_count_ratios(features[:, order], real.labels, 1.0))
    theirs = LogisticRegression(C=0.1, solver="liblinear", max_iter=1000, random_state=42)
    theirs.fit(features[:, order] @ ratios, real.labels)
    expected = theirs.decision_function(vectorizer.transform(real.asked)[:, order] @ ratios)
    assert judge(real.training, model, real.asked) == pytest.approx(expected, abs=1e-4)
    assert np.std(expected) > 0.5


def test_characters_equal_scikit_learn(real: Real) -> None:
    """Features are the counts of a text's tokens times idf, over the root of their number."""
    words = TfidfVectorizer(analyzer=real.ngrams(2), min_df=2, sublinear_tf=True, dtype=np.float32)
    in_tokens = CountVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), min_df=2, lowercase=False, dtype=np.float32
    ).fit(real.training.words[2:])
    counts = CountVectorizer(
        analyzer=real.characters, vocabulary=in_tokens.vocabulary_, dtype=np.float32
    )
    idf = TfidfTransformer(norm=None).fit(counts.transform(real.texts))

    def characters(texts: list[str]) -> csr_array:
        lengths = np.array([max(1, len(real.cut(text))) for text in texts])
        return diags_array(1 / np.sqrt(lengths)) @ idf.transform(counts.transform(texts))

    block = characters(real.texts)
    factor = 1 / np.sqrt(block.multiply(block).sum(axis=1)).mean()
    of_words = words.fit_transform(real.texts)
    model = fit_linear(real.training, settings(character_ngrams=[2, 5]), 42)
    order = in_order(words, model, len(real.training.words))
    both = hstack([of_words[:, order], block * factor], format="csr", dtype=np.float32)
    theirs = LogisticRegression(C=10, max_iter=1000).fit(both, real.labels)
    asked = [words.transform(real.asked)[:, order], characters(real.asked) * factor]
    expected = theirs.decision_function(hstack(asked, format="csr", dtype=np.float32))
    assert judge(real.training, model, real.asked) == pytest.approx(expected, abs=1e-4)
    assert np.std(expected) > 0.5


def test_characters_of_texts_without_spaces_equal_scikit_learn(real: Real) -> None:
    joined, asked = (
        [re.sub(r"\s", "", text) for text in some] for some in (real.texts, real.asked)
    )
    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 5), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    features = vectorizer.fit_transform(joined)
    theirs = LogisticRegression(C=10, max_iter=1000).fit(features, real.labels)
    expected = theirs.decision_function(vectorizer.transform(asked))
    training = TrainingTexts(joined, real.labels)
    model = fit_linear(training, settings(character_ngrams=[2, 5]), 42)
    assert len(model.codes) == features.shape[1]
    assert judge(training, model, asked) == pytest.approx(expected, abs=1e-3)
    assert np.std(expected) > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_and_renumbering_of_a_fitted_model(real: Real, kind: str) -> None:
    model = fit_linear(real.training, settings(**KINDS[kind]), 42)
    ids, offsets = encode_texts(real.training.tokenizer, real.asked)
    found = model.logits(ids, offsets)
    for (start, end), logit in zip(pairwise(offsets), found.tolist(), strict=True):
        shares = model.contributions(ids[start:end])
        assert sum(share.logit for share in shares) + model.bias == pytest.approx(logit, abs=1e-5)
    words = real.training.words
    others = [*words[:2], "no token", *words[:1:-1], "nor this"]
    place = np.array([others.index(word) for word in words])
    renumbered = model.renumbered(others)
    assert renumbered.logits(place[ids], offsets) == pytest.approx(found, abs=1e-5)
