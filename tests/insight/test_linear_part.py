"""Test the contributions of a linear model's n-grams."""

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from support.explanations import NGRAMS, TEXT, WEIGHT, Page, classes_of, make_model, page_of
from support.models import linear_model

from sentigate.data.vocabulary import tokens_of
from sentigate.insight.explanation import TOLERANCE, Explanation, explain
from sentigate.model.predictor import Predictor
from sentigate.reporting.explanation_page import render_explanation


def test_share_of_an_ngram_is_divided_evenly_among_its_tokens(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    explanation = explain(predictor, TEXT)
    names = [token.text for token in explanation.tokens]
    assert " ".join(names) == "a fine film , but nobody's two hours . warm !"
    of_pair, of_three, of_outside = 2.5 / 2, -4.0 / 3, 0.125 / 2
    weights = [
        0, 1.5 + of_pair, of_pair, 0, 0, of_outside, of_outside - 0.5, -2.0,
        of_three, of_three, of_three,
    ]  # fmt: skip
    assert explanation.from_ngrams[0] == pytest.approx(WEIGHT * np.array(weights), abs=1e-6)
    # Without weights in the linear model, the rest is the same.
    predictor.linear = linear_model({(2,): 0.0}, 0.0, tokens_of(predictor.tokenizer))
    without = explain(predictor, "but " + TEXT[2:])
    assert without.ngrams == ()
    assert "has no weight for any n-gram" in render_explanation(without, "a model")
    without = explain(predictor, TEXT)
    assert without.from_network.tolist() == explanation.from_network.tolist()
    assert explanation.start - without.start == pytest.approx(0.7 * WEIGHT, abs=1e-6)


def test_a_repeated_ngram_is_one_row_with_all_its_places(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    explanation = explain(predictor, "fine . fine film fine")
    assert explanation.ngrams is not None
    fine = next(ngram for ngram in explanation.ngrams if ngram.text == "fine")
    assert fine.places == (0, 2, 4)
    assert fine.shares[0] == pytest.approx(
        1.5 * WEIGHT
    )  # naive Bayes counts an n-gram once per text
    page = Page(render_explanation(explanation, "a model"))
    assert '<td class="piece" dir="auto">fine</td><td class="n">1, 3, 5</td>' in page.html


def test_a_token_and_its_characters_are_one_row(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    assert predictor.linear
    size = len(predictor.linear.about.words)
    characters = np.zeros((1, size), np.float32)
    fine = predictor.tokenizer.token_to_id("fine")
    characters[0, fine] = 2.0
    predictor.linear = dataclasses.replace(predictor.linear, characters=characters)
    explanation = explain(predictor, "fine two fine !")
    assert explanation.ngrams is not None
    (row,) = [ngram for ngram in explanation.ngrams if ngram.text == "fine"]
    assert row.places == (0, 2)
    assert row.shares[0] == pytest.approx(WEIGHT * (1.5 + 2 * 2.0 / 4**0.5))
    assert abs(explanation.remainder[0]) < TOLERANCE


def test_ngrams_beyond_the_cut_are_in_the_sum(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, max_length=4))
    text = "a fine film , two hours"
    explanation = explain(predictor, text)
    assert explanation.left_out == 2
    assert explanation.beyond == pytest.approx(WEIGHT * (-0.5 - 2.0))
    assert abs(explanation.remainder[0]) < TOLERANCE
    assert explanation.probabilities == pytest.approx(predictor([text])[0], abs=1e-6)
    page = page_of(predictor, text)
    shown = [page.number(name) for name in ("start", "sum", "beyond", "remainder")]
    assert sum(shown) == page.number("logit")
    assert "the LSTM reads at most 4 tokens, the linear model reads all" in page.html
    assert 'id="beyond"' not in page_of(predictor, "a fine film").html


def test_the_strongest_ngrams_come_first_with_text_and_places(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    explanation = explain(predictor, TEXT)
    assert explanation.ngrams is not None
    assert [(n.text, n.places, n.length) for n in explanation.ngrams] == [
        (". warm!", (8,), 3), ("fine film", (1,), 2), ("hours", (7,), 1), ("fine", (1,), 1),
        ("two", (6,), 1), ("nobody's two", (5,), 2),
    ]  # fmt: skip
    shares = [WEIGHT * x for x in (-4.0, 2.5, -2.0, 1.5, -0.5, 0.125)]
    assert [n.shares[0] for n in explanation.ngrams] == pytest.approx(shares, abs=1e-6)
    page = Page(render_explanation(explanation, "a model"))
    assert page.data["ngrams"][0] == {
        "text": ". warm!", "places": [8], "length": 3, "share": explanation.ngrams[0].shares[0],
    }  # fmt: skip
    assert page.shares == [f"{share:+.4f}".replace("-", "−") for share in shares[:5]]
    assert '<td class="piece" dir="auto">fine film</td><td class="n">2</td>' in page.html


def test_the_table_holds_only_the_strongest_ngrams(tmp_path: Path) -> None:
    text = "a fine film , warm and funny . i want my two hours back"
    weights = {word: float(number) for number, word in enumerate(text.split(), 1)}
    predictor = Predictor(make_model(tmp_path, ngrams=weights, max_length=20))
    page = page_of(predictor, text)
    assert len(page.data["ngrams"]) == 14
    assert len(page.shares) == 5
    assert page.shares[0] == f"{WEIGHT * 14:+.4f}"


def test_each_class_has_its_own_shares_of_an_ngram(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, classes=classes_of(3), max_length=7))
    linear = predictor.linear
    assert linear
    characters = np.zeros((3, len(linear.about.words)), np.float32)
    characters[:, predictor.tokenizer.token_to_id("film")] = [2.0, -1.0, 5.0]
    predictor.linear = dataclasses.replace(linear, characters=characters)
    explanation = explain(predictor, TEXT)
    assert explanation.ngrams is not None
    found = {ngram.text: ngram.shares for ngram in explanation.ngrams}
    assert found["fine"] == pytest.approx(WEIGHT * centred(1.5, -0.5 * 9.0, 0.25 * 9.0))
    assert found["hours"] == pytest.approx(WEIGHT * centred(-2.0, -0.5 * 0.125, 0.25 * -4.0))
    of_characters = np.array([2.0, -1.0, 5.0]) / 11**0.5
    assert found["film"] == pytest.approx(WEIGHT * centred(*of_characters))
    hours, warm = found["hours"], found[". warm!"]
    assert explanation.beyond == pytest.approx(hours + warm)
    assert explanation.start - explain_network(predictor).start == pytest.approx(
        WEIGHT * centred(0.7, 0.7 / 2, 0.7 / 3), abs=1e-6
    )
    for row in range(3):
        ngrams = explanation.strongest(row, 3)
        shares = sorted((abs(float(shares[row])) for shares in found.values()), reverse=True)
        assert [abs(share) for _, share in ngrams] == pytest.approx(shares[:3])
    orders = {tuple(each.text for each, _ in explanation.strongest(row, 8)) for row in range(3)}
    assert len(orders) == 3


def centred(*scores: float) -> np.ndarray:
    return np.array(scores) - np.mean(scores)


def explain_network(predictor: Predictor) -> Explanation:
    """Explain the same answer with a linear model that adds nothing."""
    assert predictor.linear
    nothing = dataclasses.replace(
        predictor.linear,
        weights=0 * predictor.linear.weights,
        characters=None,
        bias=0 * predictor.linear.bias,
    )
    network = copy.copy(predictor)
    network.linear = nothing
    return explain(network, TEXT)
