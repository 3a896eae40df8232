"""Test integrated gradients: figures that sum to the model's answer."""

import itertools
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch
from support.explanations import (
    MAX_LENGTH,
    NGRAMS,
    TEXT,
    Page,
    classes_of,
    long_text,
    make_model,
    page_of,
    tipping_model,
)

from sentigate.insight.explanation import TOLERANCE, explain
from sentigate.model.answers import probabilities
from sentigate.model.network.architecture import Convolution
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.predictor import Predictor
from sentigate.model.text.encoding import encode_texts, pad_texts
from sentigate.reporting.explanation_page import render_explanation


def answers(pooling: str) -> list[tuple[str, bool, str, Convolution | None]]:
    return [
        (cell, bidirectional, pooling, convolution)
        for cell, bidirectional, convolution in itertools.product(
            ("rnn", "lstm", "gru"), (True, False), (None, Convolution(filters=4, width=3, pool=2))
        )
        if pooling != "last_padded" or not (bidirectional or convolution)
    ]


def beginnings(predictor: Predictor, text: str) -> list[str]:
    """Return the beginnings of the text, one up to each token."""
    clean = predictor.clean(text)
    return [clean[:end] for _, end in predictor.tokenizer.encode(clean).offsets][:MAX_LENGTH]


@pytest.mark.parametrize(
    ("cell", "bidirectional", "pooling", "convolution", "ngrams"),
    [
        (*row, ngrams)
        for pooling in ("last", "max", "mean", "attention", "last_padded")
        for row in answers(pooling)
        for ngrams in (None, NGRAMS)
        if ngrams is None or row[0] == "lstm"
    ],
)
def test_the_figures_on_the_page_sum_to_the_models_answer(
    tmp_path: Path, cell: str, bidirectional: bool, pooling: str, convolution: Convolution | None,
    ngrams: dict[str, float] | None,
) -> None:  # fmt: skip
    predictor = Predictor(
        make_model(
            tmp_path, cell=cell, bidirectional=bidirectional, pooling=pooling,
            convolution=convolution, ngrams=ngrams,
        )
    )  # fmt: skip
    answer = float(predictor([TEXT])[0, 1])
    page = page_of(predictor, TEXT)
    data = page.data
    total = data["start"] + sum(data["contributions"]) + data["remainder"]
    assert total == pytest.approx(data["logit"], abs=1e-9)
    assert 1 / (1 + np.exp(-total)) == pytest.approx(answer, abs=1e-6)
    assert data["probability"] == pytest.approx(answer, abs=1e-6)
    assert abs(data["remainder"]) < TOLERANCE
    assert max(map(abs, data["contributions"])) > 2 * TOLERANCE  # the contributions are not trivial

    shown = [page.number(name) for name in ("start", "sum", "remainder")]
    assert sum(shown) == page.number("logit")
    assert sum(Decimal(cell.replace("−", "-")) for cell in page.cells) == page.number("sum")
    assert abs(float(page.number("logit")) - data["logit"]) < 5.1e-5
    assert abs(float(page.number("remainder"))) < TOLERANCE + 5e-5 * (3 + len(page.cells))
    assert page.texts["probability"] == f"{answer:.4f}"
    if ngrams:
        assert page.number("network") + page.number("ngrams") == page.number("sum")
        parts = np.array([data["from_network"], data["from_ngrams"]])
        assert parts.sum(0).tolist() == data["contributions"]
        assert (np.abs(parts).max(1) > 2 * TOLERANCE).all()
    else:
        assert data["from_network"] == data["contributions"]
        assert data["from_ngrams"] == [0.0] * 11
        assert data["ngrams"] is None
        assert "linear model" not in page.html

    expected = predictor(beginnings(predictor, TEXT))[:, 1]
    assert data["running"] == pytest.approx(expected.tolist(), abs=1e-6)
    assert len(data["tokens"]) == len(data["contributions"]) == len(expected) == 11


@pytest.mark.numeric
@pytest.mark.parametrize("pooling", ["last", "attention", "last_padded"])
def test_each_token_gets_its_own_integrated_gradient(tmp_path: Path, pooling: str) -> None:
    """Compared with the definition, summed over many even steps."""
    predictor = Predictor(make_model(tmp_path, pooling=pooling, bidirectional=False))
    network, tokenizer = predictor.network, predictor.tokenizer
    padded = pad_texts(tokenizer, [predictor.clean(TEXT)], MAX_LENGTH)
    ids = torch.from_numpy(padded.ids.astype(np.int64))
    vectors = network.encoder.embedding(ids).detach()
    blank = network.encoder.embedding(torch.zeros_like(ids)).detach()
    steps = 400
    shares = ((torch.arange(steps) + 0.5) / steps).view(-1, 1, 1)
    points = (blank + shares * (vectors - blank)).requires_grad_()
    layout = PaddedLayout(
        torch.from_numpy(padded.lengths.astype(np.int64)).expand(steps), MAX_LENGTH
    )
    network.decide(*network.encoder.read(points, layout)).sum().backward()
    assert points.grad is not None
    expected = (points.grad.mean(0) * (vectors - blank)[0]).sum(1)[: padded.lengths[0]]
    (found,) = explain(predictor, TEXT).contributions
    assert found == pytest.approx(expected.numpy(), abs=TOLERANCE)
    assert np.ptp(found) > 20 * TOLERANCE


def test_a_jump_of_the_cell_state_is_divided_among_the_tokens(tmp_path: Path) -> None:
    """Each token affects the side of the edge 1.6 times less than the token before it."""
    explanation = explain(tipping_model(tmp_path, 1.6, 46), long_text())
    assert len(explanation.tokens) == 46
    assert explanation.logits[0] < -2 < 2 < explanation.start[0]
    assert abs(explanation.remainder[0]) < 0.01
    assert explanation.adds_up
    first = explanation.from_network[0, :4]
    assert first[1:] / first[:-1] == pytest.approx(1 / 1.6, rel=0.02)
    assert first[0] < -1.5


def test_an_explanation_adds_up_when_the_network_reads_both_ends(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, max_length=4))
    predictor.last_tokens = 2
    text = "a fine film , two hours"
    explanation = explain(predictor, text)
    assert [token.text for token in explanation.tokens] == ["a", "fine", "two", "hours"]
    assert explanation.left_out == 2
    assert abs(explanation.remainder[0]) < TOLERANCE
    assert explanation.probabilities == pytest.approx(predictor([text])[0], abs=1e-6)
    assert explanation.running[-1] != pytest.approx(predictor(["a fine film ,"])[0])


def test_a_word_that_only_the_vectors_have_is_known(tmp_path: Path) -> None:
    explanation = explain(Predictor(make_model(tmp_path, ngrams=NGRAMS)), "gnu gnu")
    assert explanation.known
    assert [token.unknown for token in explanation.tokens] == [False, False]
    assert abs(explanation.remainder[0]) < TOLERANCE
    assert explanation.from_network.all()
    assert explanation.ngrams == ()


@pytest.mark.parametrize("ngrams", [None, NGRAMS])
@pytest.mark.parametrize(
    ("text", "said"),
    [("zebra but", "The model knows no token of this text"), (" ", "Nothing is left")],
)
def test_a_text_of_unknown_tokens_gets_the_prior(
    tmp_path: Path, text: str, said: str, ngrams: dict[str, float] | None
) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=ngrams))
    explanation = explain(predictor, text)
    assert not explanation.known
    assert explanation.start[0] == explanation.logits[0] == pytest.approx(-0.4)
    assert explanation.remainder == 0
    assert not explanation.contributions.any()
    assert not explanation.ngrams
    page = Page(render_explanation(explanation, "a model"))
    assert said in page.html
    assert "The answer is the share of positive texts" in page.html
    assert (page.data["known"], page.shares) == (False, [])
    assert page.number("start") == page.number("logit")
    assert "of positive texts in training" not in page_of(predictor, "fine").html


def scores_of(predictor: Predictor, text: str) -> np.ndarray:
    """Return the model's scores, without their mean, (K,)."""
    encoded = encode_texts(predictor.tokenizer, [predictor.clean(text)])
    scores = predictor.logits(encoded, predictor.pad(encoded))[0].astype(np.float64)
    return scores - scores.mean()


@pytest.mark.parametrize("ngrams", [None, NGRAMS])
@pytest.mark.parametrize("pooling", ["last", "max", "mean", "attention"])
@pytest.mark.parametrize("count", [3, 7])
def test_the_contributions_to_each_of_many_classes_sum_to_its_score(
    tmp_path: Path, count: int, pooling: str, ngrams: dict[str, float] | None
) -> None:
    classes = classes_of(count)
    folder = make_model(tmp_path, pooling=pooling, ngrams=ngrams, classes=classes, max_length=9)
    predictor = Predictor(folder)
    explanation = explain(predictor, TEXT)
    assert explanation.classes == classes
    assert explanation.logits == pytest.approx(scores_of(predictor, TEXT))
    assert explanation.probabilities == pytest.approx(predictor([TEXT])[0], abs=1e-7)
    assert classes.names[explanation.answered] == predictor.judge([TEXT]).labels[0]
    total = explanation.start + explanation.contributions.sum(1) + explanation.beyond
    assert total == pytest.approx(explanation.logits, abs=TOLERANCE)
    assert probabilities(total[np.newaxis])[0] == pytest.approx(predictor([TEXT])[0], abs=TOLERANCE)
    assert explanation.adds_up.tolist() == [True] * count
    parts = [explanation.from_network, *([explanation.from_ngrams] if ngrams else [])]
    for part in parts:
        assert part.shape == (count, 9)
        assert (np.abs(part).max(1) > 2 * TOLERANCE).all()  # no class is trivial
        assert part.sum(0) == pytest.approx(np.zeros(9), abs=1e-6)
    assert explanation.left_out == 2
    assert explanation.beyond.any() == bool(ngrams)
    assert explanation.running == pytest.approx(
        predictor(beginnings(predictor, TEXT)[:9]), abs=1e-6
    )


@pytest.mark.numeric
def test_each_class_has_the_integrated_gradients_of_its_centred_score(tmp_path: Path) -> None:
    """Compared with the definition, summed over many even steps."""
    predictor = Predictor(make_model(tmp_path, classes=classes_of(3)))
    network = predictor.network
    padded = pad_texts(predictor.tokenizer, [predictor.clean(TEXT)], MAX_LENGTH)
    ids = torch.from_numpy(padded.ids.astype(np.int64))[:, : padded.lengths[0]]
    vectors = network.encoder.embedding(ids).detach()
    blank = network.encoder.embedding(torch.zeros_like(ids)).detach()
    steps = 400
    shares = ((torch.arange(steps) + 0.5) / steps).view(-1, 1, 1)
    found = explain(predictor, TEXT).contributions
    for label in range(3):
        points = (blank + shares * (vectors - blank)).requires_grad_()
        layout = PaddedLayout(torch.full((steps,), ids.shape[1]), ids.shape[1])
        scores = network.decide(*network.encoder.read(points, layout))
        others = [other for other in range(3) if other != label]
        (2 / 3 * scores[:, label] - scores[:, others].sum(1) / 3).sum().backward()
        assert points.grad is not None
        expected = (points.grad.mean(0) * (vectors - blank)[0]).sum(1)
        assert found[label] == pytest.approx(expected.numpy(), abs=TOLERANCE)
        assert np.ptp(found[label]) > 20 * TOLERANCE


def test_a_number_added_to_all_scores_changes_no_explanation(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, classes=classes_of(3)))
    before = explain(predictor, TEXT)
    with torch.no_grad():
        predictor.network.head.bias += 4.0
    after = explain(predictor, TEXT)
    for name in ("start", "contributions", "logits", "probabilities", "running"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-5)


def test_two_classes_are_a_case_of_three(tmp_path: Path) -> None:
    """With scores of -z, 0 and z, the last class has the contributions of a single logit z."""
    single = Predictor(make_model(tmp_path / "2", pooling="max"))
    three = Predictor(make_model(tmp_path / "3", pooling="max", classes=classes_of(3)))
    weights = {k: v.clone() for k, v in single.network.state_dict().items()}
    for name in ("head.weight", "head.bias"):
        weights[name] = torch.cat([-weights[name], 0 * weights[name], weights[name]])
    three.network.load_state_dict(weights)
    one, many = explain(single, TEXT), explain(three, TEXT)
    for sign, row in zip((-1, 0, 1), range(3), strict=True):
        assert many.start[row] == pytest.approx(sign * one.start[0], abs=1e-6)
        assert many.from_network[row] == pytest.approx(sign * one.from_network[0], abs=1e-5)


def test_a_jump_is_divided_among_the_tokens_for_every_class(tmp_path: Path) -> None:
    """The scores are centred to three, minus one and minus two times the state of the cell."""
    classes = classes_of(3)
    explanation = explain(tipping_model(tmp_path, 1.6, 46, 5, 1, 0, classes=classes), long_text())
    rises = explanation.logits - explanation.start
    assert rises == pytest.approx(rises[1] * np.array([-3, 1, 2]), rel=1e-5)
    assert rises[1] > 1
    assert explanation.adds_up.all()
    first = explanation.from_network[:, :4]
    assert first[:, 1:] / first[:, :-1] == pytest.approx(np.full((3, 3), 1 / 1.6), rel=0.02)


def test_a_text_of_unknown_tokens_gets_the_priors_of_all_classes(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, classes=classes_of(4)))
    explanation = explain(predictor, "zebra but")
    assert not explanation.known
    assert explanation.start == pytest.approx([-0.45, -0.15, 0.15, 0.45])
    assert explanation.start.tolist() == explanation.logits.tolist()
    assert not explanation.contributions.any()
    assert explanation.remainder.tolist() == [0.0] * 4
    assert explanation.answered == 3
