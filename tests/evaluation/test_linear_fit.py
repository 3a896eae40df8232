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
from threadpoolctl import threadpool_limits

from sentigate.data.vocabulary import cutter
from sentigate.errors import DataError
from sentigate.evaluation.linear_fit import (
    SPACED_LEVEL,
    PartOfTexts,
    TrainingTexts,
    describe,
    fit_linear,
    log_count_ratios,
    take,
    tfidf,
)
from sentigate.evaluation.ngram_counts import idf_of
from sentigate.model.answers import probabilities
from sentigate.model.labels import BINARY, Classes
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
    training = TrainingTexts(texts or GOOD + BAD, LABELS, BINARY)
    return judge(training, fit_linear(training, settings(**others), seed), asked)


def judge(training: TrainingTexts, model: LinearModel, texts: list[str]) -> np.ndarray:
    """Return the logits of a model of two classes, (texts,)."""
    return model.logits(*encode_texts(training.tokenizer, texts)).squeeze(1)


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_separate_the_labels_are_learned(kind: str) -> None:
    found = logits(["good", "bad", "good thing", "a bad thing"], **KINDS[kind])
    assert (found > 0).tolist() == [True, False, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unseen_text_gets_the_bias(kind: str) -> None:
    training = TrainingTexts(GOOD + BAD, LABELS, BINARY)
    model = fit_linear(training, settings(**KINDS[kind]), 42)
    assert judge(training, model, ["", "Жж", "goodish zzz"]).tolist() == [model.bias.item()] * 3
    assert abs(model.bias.item()) < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_other_fitted_models_do_not_change_a_bit(kind: str) -> None:
    """Models share their counts, and no model changes them."""
    training, asked = TrainingTexts(GOOD + BAD, LABELS, BINARY), GOOD + BAD
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
    found = log_count_ratios(features, np.array([True, True, False, False]), 1.0)
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


@pytest.mark.parametrize(
    ("labels", "classes", "lacking"),
    [
        ([1] * 8, BINARY, "negative"),
        ([0] * 8, BINARY, "positive"),
        ([0, 0, 0, 0, 3, 3, 3, 3], Classes(names=("a", "b", "c", "d")), "b or c"),
        ([0, 0, 0, 0, 1, 1, 1, 1], Classes(names=("a", "b", "c")), "c"),
    ],
)
def test_a_class_without_a_training_text_is_a_data_error(
    labels: list[int], classes: Classes, lacking: str
) -> None:
    expected = f"no baseline from 8 training texts: none of them is {lacking}; add rows"
    with pytest.raises(DataError, match=expected):
        TrainingTexts(GOOD + BAD, np.array(labels, dtype=np.int8), classes)


def test_describe_names_ngrams_and_weighting() -> None:
    training = TrainingTexts(GOOD + BAD, LABELS, BINARY)
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
    training = TrainingTexts(HOTELS, LABELS, BINARY)
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
    training = TrainingTexts(texts, np.arange(400, dtype=np.int8) % 2, BINARY)
    assert training.lengths(settings(character_ngrams=[2, 5])) == (1, 4)
    model = fit_linear(training, settings(character_ngrams=[2, 5], min_count=1), 1)
    assert np.isfinite(judge(training, model, texts)).all()


# Against scikit-learn, on real texts


class Real:
    """A few hundred rows of the example table, and texts to predict."""

    def __init__(self) -> None:
        table = pd.read_csv(ROOT / "data/own/csv/example.csv", nrows=1500)
        table = table.loc[table["sentiment"].isin(BINARY.names)]
        texts = table["text"].str.lower().tolist()
        self.texts = texts[:400]
        self.labels = (table["sentiment"] == BINARY.names[1]).to_numpy(dtype=np.int8)[:400]
        self.training = TrainingTexts(self.texts, self.labels, BINARY)
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


def fitted_for_two_classes(
    training: TrainingTexts, chosen: LinearModelParams, seed: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray]:
    """Fit as the versions did that knew only two classes: weights, idf, characters and bias."""
    naive_bayes = chosen.naive_bayes_smoothing is not None
    classifier = LogisticRegression(
        C=chosen.inverse_regularization,
        solver="liblinear" if naive_bayes else "lbfgs",
        max_iter=1000,
        random_state=seed,
    )
    codes, counts = training.count(training.lengths(chosen), chosen.min_count)
    idf, ratios, block = None, None, None
    with threadpool_limits(1):
        if chosen.naive_bayes_smoothing is None:
            idf = idf_of(counts)
            features = tfidf(counts, idf)
        else:
            features = counts.sign()
            later, earlier = (
                np.asarray(features[training.labels == label].sum(axis=0), dtype=np.float64).ravel()
                + chosen.naive_bayes_smoothing
                for label in (1, 0)
            )
            ratios = np.log(later / later.sum()) - np.log(earlier / earlier.sum())
            ratios = ratios.astype(np.float32)
            features.data *= ratios[features.indices]
        if chosen.character_ngrams:
            block = training.characters(chosen.character_ngrams, chosen.min_count)
            features = hstack([features, block.features], format="csr")
        classifier.fit(features, training.labels)
    weights, of_characters = np.split(classifier.coef_[0].astype(np.float32), [len(codes)])
    return (
        weights if ratios is None else weights * ratios,
        idf,
        None if block is None else block.of_tokens @ of_characters,
        classifier.intercept_.astype(np.float32),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_models_of_two_classes_keep_every_bit(real: Real, kind: str) -> None:
    chosen = settings(**KINDS[kind])
    weights, idf, characters, bias = fitted_for_two_classes(real.training, chosen, 42)
    model = fit_linear(real.training, chosen, 42)
    assert model.weights.dtype == model.bias.dtype == np.float32
    assert np.array_equal(model.weights, weights[None])
    assert np.array_equal(model.bias, bias)
    for found, expected in ((model.idf, idf), (model.characters, characters)):
        assert (found is None) == (expected is None)
        assert found is None or np.array_equal(found.squeeze(), expected)


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
    ratios = diags_array(log_count_ratios(features[:, order], real.labels == 1, 1.0))
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
    training = TrainingTexts(joined, real.labels, BINARY)
    model = fit_linear(training, settings(character_ngrams=[2, 5]), 42)
    assert len(model.codes) == features.shape[1]
    assert judge(training, model, asked) == pytest.approx(expected, abs=1e-3)
    assert np.std(expected) > 0.5


# More than two classes


def letters(count: int) -> Classes:
    return Classes(names=tuple("abcdefg"[:count]))


def of_lengths(real: Real, count: int) -> TrainingTexts:
    """Return the texts with equally common classes: from the shortest texts to the longest."""
    order = np.argsort([len(text) for text in real.texts], kind="stable")
    labels = np.empty(len(order), dtype=np.int8)
    labels[order] = np.arange(len(order)) * count // len(order)
    return TrainingTexts(real.texts, labels, letters(count))


several = pytest.mark.parametrize("count", [3, 7])


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_separate_three_classes_are_learned(kind: str) -> None:
    plain = ["a plain film", "plain fun and plain cast", "what a plain day", "really plain"]
    labels = np.array([2] * 4 + [0] * 4 + [1] * 4, dtype=np.int8)
    training = TrainingTexts(GOOD + BAD + plain, labels, letters(3))
    model = fit_linear(training, settings(**KINDS[kind]), 42)
    asked = ["good", "bad", "plain", "plain thing", "a bad thing", "qqq"]
    found = model.logits(*encode_texts(training.tokenizer, asked))
    assert found.argmax(axis=1)[:5].tolist() == [2, 0, 1, 1, 0]
    assert found[5].tolist() == model.bias.tolist()
    assert np.ptp(model.bias) < 0.3  # all classes are equally common


@several
def test_tfidf_of_several_classes_equals_scikit_learns_softmax(real: Real, count: int) -> None:
    training = of_lengths(real, count)
    vectorizer = TfidfVectorizer(
        analyzer=real.ngrams(2), min_df=2, sublinear_tf=True, dtype=np.float32
    )
    features = vectorizer.fit_transform(real.texts)
    model = fit_linear(training, settings(), 42)
    order = in_order(vectorizer, model, len(training.words))
    theirs = LogisticRegression(C=10, max_iter=1000).fit(features[:, order], training.labels)
    asked = vectorizer.transform(real.asked)[:, order]
    found = model.logits(*encode_texts(training.tokenizer, real.asked))
    assert found.shape == (len(real.asked), count)
    assert found == pytest.approx(theirs.decision_function(asked), abs=1e-3)
    assert probabilities(found) == pytest.approx(theirs.predict_proba(asked), abs=5e-4)
    assert np.std(found, axis=0).min() > 0.3


@several
def test_naive_bayes_of_several_classes_equals_scikit_learn_against_the_rest(
    real: Real, count: int
) -> None:
    """Each class has its own ratios and its own regression."""
    training = of_lengths(real, count)
    vectorizer = CountVectorizer(analyzer=real.ngrams(3), min_df=2, binary=True, dtype=np.float32)
    features = vectorizer.fit_transform(real.texts)
    model = fit_linear(training, settings(**BAYES, inverse_regularization=0.1), 42)
    order = in_order(vectorizer, model, len(training.words))
    features, asked = features[:, order], vectorizer.transform(real.asked)[:, order]
    found = model.logits(*encode_texts(training.tokenizer, real.asked))
    assert found.shape == (len(real.asked), count)
    for label in range(count):
        chosen = training.labels == label
        own, rest = (1 + np.asarray(features[rows].sum(axis=0)) for rows in (chosen, ~chosen))
        ratios = np.log((own / own.sum()) / (rest / rest.sum())).ravel()
        theirs = LogisticRegression(C=0.1, solver="liblinear", max_iter=1000, random_state=42)
        theirs.fit(features @ diags_array(ratios), chosen)
        expected = theirs.decision_function(asked @ diags_array(ratios))
        assert found[:, label] == pytest.approx(expected, abs=1e-3)
        assert np.std(expected) > 0.3


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_contributions_and_renumbering_of_a_fitted_model(real: Real, kind: str, count: int) -> None:
    model = fit_linear(of_lengths(real, count), settings(**KINDS[kind]), 42)
    ids, offsets = encode_texts(real.training.tokenizer, real.asked)
    found = model.logits(ids, offsets)
    for (start, end), logits in zip(pairwise(offsets), found, strict=True):
        shares = model.contributions(ids[start:end])
        sums = sum((share.logits for share in shares), model.bias)
        assert sums == pytest.approx(logits, abs=1e-5)
    words = real.training.words
    others = [*words[:2], "no token", *words[:1:-1], "nor this"]
    place = np.array([others.index(word) for word in words])
    renumbered = model.renumbered(others)
    assert renumbered.logits(place[ids], offsets) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_a_part_is_that_of_the_parts_rows(kind: str) -> None:
    """Fitted on rows of the whole counts: the same as a whole of which nothing is left out."""
    texts, labels = GOOD + BAD, LABELS
    whole = TrainingTexts(texts, labels, BINARY)
    rows = np.array([6, 0, 3, 5, 4, 1])
    part = PartOfTexts(whole, rows)
    assert part.labels.tolist() == labels[rows].tolist()
    encoded = encode_texts(whole.tokenizer, [texts[row] for row in rows])
    np.testing.assert_array_equal(part.tokens.ids, encoded.ids)
    np.testing.assert_array_equal(part.tokens.offsets, encoded.offsets)
    model = fit_linear(whole, settings(**KINDS[kind]), 1)
    every = fit_linear(PartOfTexts(whole, np.arange(8)), settings(**KINDS[kind]), 1)
    np.testing.assert_array_equal(every.logits(*whole.tokens), model.logits(*whole.tokens))
    other = fit_linear(part, settings(**KINDS[kind]), 1)
    np.testing.assert_array_equal(other.codes, model.codes)
    answers = probabilities(other.logits(*take(whole.tokens, np.array([2, 7]))))
    assert answers[0, 1] > 0.5 > answers[1, 1]
