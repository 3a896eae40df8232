"""Test explanations: figures that sum to the answer, the network's own gates, a safe page."""

import base64
import dataclasses
import io
import itertools
import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import load_file, save_file
from support.cleaning import cleaning
from support.models import architecture, linear_model, save_model, vocab_params
from support.registry import add_champion
from tokenizers import Tokenizer

from sentigate.cli.main import main
from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of
from sentigate.insight.explanation import TOLERANCE, Explanation, _order, _tokens, explain
from sentigate.model.fusion import Fusion
from sentigate.model.network.architecture import Convolution
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.predictor import Predictor
from sentigate.model.text.encoding import pad_texts
from sentigate.registry.loading import load_predict
from sentigate.registry.versions import model_name
from sentigate.reporting.explanation_page import PARTS, render_explanation
from sentigate.settings.model import Level

ROOT = Path(__file__).parents[2]
TRAINING = ["a fine film , warm and funny .", "i want my two hours back !", "naïve 😀 café 😀 it's"]
TEXT = "A fine film, but nobody's two hours. Warm!"
NGRAMS = {
    "fine": 1.5, "fine film": 2.5, "two": -0.5, ". warm !": -4.0, "nobody's two": 0.125,
    "hours": -2.0, "want": 9.0, "film fine": 9.0,
}  # fmt: skip
WEIGHT = 0.375 / 1.7
"""Weight of the linear model's logit in the fused answer."""
OUTSIDE = ["nobody's", "gnu"]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> fine & <!-- film \" ' "
MAX_LENGTH = 12


def make_model(
    folder: Path,
    level: Level = "word",
    max_length: int = MAX_LENGTH,
    *,
    ngrams: dict[str, float] | None = None,
    **changes: Any,
) -> Path:
    """Save an untrained network as the register stage saves a model.

    With ``ngrams``, words separated by spaces -> weight, the model has all parts of the default
    model: a linear model, word vectors, words outside the training texts, and a temperature.
    """
    values: dict[str, Any] = {
        "embedding_size": 6, "cell": "lstm", "hidden_sizes": (5,), "bidirectional": True,
        "pooling": "mean", "embedding_dropout": 0.5, "layer_dropout": 0.0, "head_dropout": 0.5,
    }  # fmt: skip
    shape = architecture(**values | changes)
    tokenizer = build_tokenizer(TRAINING * 2, vocab_params(level, min_count=2, max_size=300))
    own = tokenizer.get_vocab_size()
    linear, embedding, fusion = None, None, Fusion(share=0.0, temperature=1.0, prior=-0.4)
    torch.manual_seed(3)
    if ngrams is not None:
        add_words(tokenizer, OUTSIDE)
        tokens = tokens_of(tokenizer)
        weights = {tuple(map(tokens.index, run.split())): x for run, x in ngrams.items()}
        linear = linear_model(weights, 0.7, tokens)
        vectors = torch.randn(len(tokens), shape.embedding_size)
        vectors[0] = 0.0
        embedding = CorrectedEmbedding(vectors, own)
        fusion = Fusion(share=0.375, temperature=1.7, prior=-0.4)
    network = Network(shape, tokenizer.get_vocab_size(), embedding)
    for parameter in network.parameters():
        parameter.data *= 2  # then the answers differ between texts
    steps = cleaning("lowercase", "squeeze_whitespace")
    return save_model(folder, network, tokenizer, steps, max_length, linear=linear, fusion=fusion)


def answers(pooling: str) -> list[tuple[str, bool, str, Convolution | None]]:
    return [
        (cell, bidirectional, pooling, convolution)
        for cell, bidirectional, convolution in itertools.product(
            ("rnn", "lstm", "gru"), (True, False), (None, Convolution(filters=4, width=3, pool=2))
        )
        if pooling != "last_padded" or not (bidirectional or convolution)
    ]


class Page(HTMLParser):
    """The elements of a page, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.cells: list[str] = []
        self.shares: list[str] = []
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self._in = attributes.get("id") or ("cell" if tag == "td" else "")
        if tag == "td" and "contribution" in (attributes.get("class") or ""):
            self._in = "contribution"
        if tag == "td" and "share" in (attributes.get("class") or ""):
            self._in = "share"

    def handle_data(self, data: str) -> None:
        if self._in == "contribution":
            self.cells.append(data)
        if self._in == "share":
            self.shares.append(data)
        self.texts.setdefault(self._in, data)
        self._in = ""

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.texts["explanation"])
        return found

    def number(self, name: str) -> Decimal:
        return Decimal(self.texts[name].replace("−", "-"))


def page_of(predictor: Predictor, text: str) -> Page:
    return Page(render_explanation(explain(predictor, text), "a model"))


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
    answer = float(predictor([TEXT])[0])
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

    expected = predictor(beginnings(predictor, TEXT))
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
    found = explain(predictor, TEXT).contributions
    assert found == pytest.approx(expected.numpy(), abs=TOLERANCE)
    assert np.ptp(found) > 20 * TOLERANCE


def long_text() -> str:
    """Join the reviews of the example table."""
    return " ".join(pd.read_csv(ROOT / "data/own/example.csv", nrows=60)["text"])


def tipping_model(folder: Path, recurrence: float, max_length: int) -> Predictor:
    """Make a network of one unit that keeps its sign, and whose logit jumps.

    The bias makes the state positive. The tokens make it negative once their vectors reach 0.3.
    There the logit jumps within one step of a 32-bit number.
    """
    tokenizer = build_tokenizer([long_text()], vocab_params(max_size=5000))
    shape = architecture(
        embedding_size=1, cell="lstm", hidden_sizes=(1,), bidirectional=False, pooling="last",
        embedding_dropout=0.0, layer_dropout=0.0, head_dropout=0.0,
    )  # fmt: skip
    network = Network(shape, tokenizer.get_vocab_size())
    with torch.no_grad():
        for name, values in {
            "encoder.layers.0.left_to_right.weight_ih_l0": [[0.0], [0.0], [1.0], [0.0]],
            "encoder.layers.0.left_to_right.weight_hh_l0": [[0.0], [0.0], [recurrence], [0.0]],
            "encoder.layers.0.left_to_right.bias_ih_l0": [9.0, -9.0, 0.3, 9.0],  # input to output
            "encoder.layers.0.left_to_right.bias_hh_l0": [0.0] * 4,
            "head.weight": [[5.0]],
            "head.bias": [0.0],
        }.items():
            network.get_parameter(name).copy_(torch.tensor(values))
        network.encoder.embedding.weight[1:] = -1.0
    return Predictor(save_model(folder, network, tokenizer, cleaning("lowercase"), max_length))


def test_a_jump_of_the_cell_state_is_divided_among_the_tokens(tmp_path: Path) -> None:
    """Each token affects the side of the edge 1.6 times less than the token before it."""
    explanation = explain(tipping_model(tmp_path, 1.6, 46), long_text())
    assert len(explanation.tokens) == 46
    assert explanation.logit < -2 < 2 < explanation.start
    assert abs(explanation.remainder) < 0.01
    assert explanation.adds_up
    first = explanation.from_network[:4]
    assert first[1:] / first[:-1] == pytest.approx(1 / 1.6, rel=0.02)
    assert first[0] < -1.5


def test_page_and_command_warn_if_contributions_do_not_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Here no 32-bit number is near enough to the edge to show which tokens cause the jump."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    predictor = tipping_model(Path("models"), 4.0, 250)
    explanation = explain(predictor, long_text())
    assert -10 < explanation.remainder < -3  # the jump
    assert not explanation.adds_up
    page = page_of(predictor, long_text())
    assert "do not add up" in page.texts["does-not-add-up"]
    assert page.data["adds_up"] is False
    assert page.html.count('class="bad"') == 2
    code, out = run_explain(
        monkeypatch, capsys, long_text(), "--model", "latest", "--out", "page.html"
    )
    assert code == 0
    last = out.splitlines()[-1].split("\t")
    assert last[:2] == ["remainder", f"{explanation.remainder:+.4f}"]
    assert "do not add up" in last[2]
    short = explain(tipping_model(Path("models"), 0.5, 250), "Good.")
    assert short.adds_up
    assert "do not add up" not in render_explanation(short, "a model")


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
    assert explanation.from_ngrams == pytest.approx(WEIGHT * np.array(weights), abs=1e-6)
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
    assert fine.share == pytest.approx(1.5 * WEIGHT)  # naive Bayes counts an n-gram once per text
    page = Page(render_explanation(explanation, "a model"))
    assert '<td class="piece" dir="auto">fine</td><td class="n">1, 3, 5</td>' in page.html


def test_a_token_and_its_characters_are_one_row(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    assert predictor.linear
    size = len(predictor.linear.about.words)
    characters = np.zeros(size, np.float32)
    fine = predictor.tokenizer.token_to_id("fine")
    characters[fine] = 2.0
    predictor.linear = dataclasses.replace(predictor.linear, characters=characters)
    explanation = explain(predictor, "fine two fine !")
    assert explanation.ngrams is not None
    (row,) = [ngram for ngram in explanation.ngrams if ngram.text == "fine"]
    assert row.places == (0, 2)
    assert row.share == pytest.approx(WEIGHT * (1.5 + 2 * 2.0 / 4**0.5))
    assert abs(explanation.remainder) < TOLERANCE


def test_ngrams_beyond_the_cut_are_in_the_sum(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, max_length=4))
    text = "a fine film , two hours"
    explanation = explain(predictor, text)
    assert explanation.left_out == 2
    assert explanation.beyond == pytest.approx(WEIGHT * (-0.5 - 2.0))
    assert abs(explanation.remainder) < TOLERANCE
    assert explanation.probability == pytest.approx(float(predictor([text])[0]), abs=1e-6)
    page = page_of(predictor, text)
    shown = [page.number(name) for name in ("start", "sum", "beyond", "remainder")]
    assert sum(shown) == page.number("logit")
    assert "the LSTM reads at most 4 tokens, the linear model reads all" in page.html
    assert 'id="beyond"' not in page_of(predictor, "a fine film").html


def test_an_explanation_adds_up_when_the_network_reads_both_ends(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, max_length=4))
    predictor.last_tokens = 2
    text = "a fine film , two hours"
    explanation = explain(predictor, text)
    assert [token.text for token in explanation.tokens] == ["a", "fine", "two", "hours"]
    assert explanation.left_out == 2
    assert abs(explanation.remainder) < TOLERANCE
    assert explanation.probability == pytest.approx(float(predictor([text])[0]), abs=1e-6)
    assert explanation.running[-1] != pytest.approx(float(predictor(["a fine film ,"])[0]))


def test_the_strongest_ngrams_come_first_with_text_and_places(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS))
    explanation = explain(predictor, TEXT)
    assert explanation.ngrams is not None
    assert [(n.text, n.places, n.length) for n in explanation.ngrams] == [
        (". warm!", (8,), 3), ("fine film", (1,), 2), ("hours", (7,), 1), ("fine", (1,), 1),
        ("two", (6,), 1), ("nobody's two", (5,), 2),
    ]  # fmt: skip
    shares = [WEIGHT * x for x in (-4.0, 2.5, -2.0, 1.5, -0.5, 0.125)]
    assert [n.share for n in explanation.ngrams] == pytest.approx(shares, abs=1e-6)
    page = Page(render_explanation(explanation, "a model"))
    assert page.data["ngrams"][0] == {
        "text": ". warm!", "places": [8], "length": 3, "share": explanation.ngrams[0].share,
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
    assert explanation.start == explanation.logit == pytest.approx(-0.4)
    assert explanation.remainder == 0
    assert not explanation.contributions.any()
    assert not explanation.ngrams
    page = Page(render_explanation(explanation, "a model"))
    assert said in page.html
    assert "The answer is the share of positive texts" in page.html
    assert (page.data["known"], page.shares) == (False, [])
    assert page.number("start") == page.number("logit")
    assert "of positive texts in training" not in page_of(predictor, "fine").html


def test_a_word_that_only_the_vectors_have_is_known(tmp_path: Path) -> None:
    explanation = explain(Predictor(make_model(tmp_path, ngrams=NGRAMS)), "gnu gnu")
    assert explanation.known
    assert [token.unknown for token in explanation.tokens] == [False, False]
    assert abs(explanation.remainder) < TOLERANCE
    assert explanation.from_network.all()
    assert explanation.ngrams == ()


@pytest.mark.numeric
@pytest.mark.parametrize("cell_from_scratch", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_layer_states_are_the_networks_own(
    tmp_path: Path, cell: str, cell_from_scratch: bool
) -> None:
    predictor = Predictor(
        make_model(
            tmp_path,
            cell=cell,
            hidden_sizes=(5, 4),
            pooling="max",
            cell_from_scratch=cell_from_scratch,
        )
    )
    network = predictor.network
    padded = pad_texts(predictor.tokenizer, [predictor.clean(TEXT)], MAX_LENGTH)
    (batch,) = Batches(EncodedSplit(padded.ids, padded.lengths, np.zeros(1, np.int8)), 1)
    outputs: list[torch.Tensor] = []
    for layer in network.encoder.layers:
        layer.register_forward_hook(lambda *hooked: outputs.append(hooked[2]))
    with torch.no_grad():
        network(batch.inputs)
    states = [output[0, : padded.lengths[0]].T.numpy() for output in outputs[:2]]
    layers = explain(predictor, TEXT).layers
    assert [(one.layer, one.direction) for one in layers] == list(
        itertools.product((1, 2), ("left to right", "right to left"))
    )
    for layer, directions in zip(states, (layers[:2], layers[2:]), strict=True):
        for half, one in zip(np.split(layer, 2), directions, strict=True):
            assert sorted(one.units) == list(range(len(half)))
            assert one.parts["hidden"] == pytest.approx(half[one.units], abs=1e-5)
            if cell == "lstm":  # h = o * tanh(c), column by column
                remade = one.parts["output"] * np.tanh(one.parts["cell"])
                assert remade == pytest.approx(one.parts["hidden"], abs=1e-5)


@pytest.mark.numeric
def test_an_lstms_cell_state_is_torchs_own(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path))
    encoding = predictor.tokenizer.encode(predictor.clean(TEXT))
    vectors = predictor.network.encoder.embedding(torch.tensor([encoding.ids]))
    layer: Any = predictor.network.encoder.layers[0]
    forwards, backwards = explain(predictor, TEXT).layers
    with torch.no_grad():
        _, (_, last) = layer.left_to_right(vectors)
        _, (_, first) = layer.right_to_left(vectors.flip(1))
    assert forwards.parts["cell"][:, -1] == pytest.approx(last[0, 0][forwards.units].numpy(), 1e-4)
    assert backwards.parts["cell"][:, 0] == pytest.approx(
        first[0, 0][backwards.units].numpy(), 1e-4
    )


def test_each_pixel_of_a_map_is_one_value(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path, hidden_sizes=(5, 4)))
    explanation = explain(predictor, TEXT)
    maps = [
        attributes
        for tag, attributes in Page(render_explanation(explanation, "a model")).tags
        if tag == "img" and attributes.get("class") == "map"
    ]
    expected = [(one, name) for one in explanation.layers for name in PARTS if name in one.parts]
    assert len(maps) == len(expected) == 4 * 6
    for drawn, (one, name) in zip(maps, expected, strict=True):
        assert f"layer {one.layer}, {one.direction}" in str(drawn["alt"])
        content = base64.b64decode(str(drawn["src"]).removeprefix("data:image/png;base64,"))
        image = Image.open(io.BytesIO(content))
        values = one.parts[name]
        assert image.size == values.shape[::-1]
        levels = np.asarray(image).astype(float) / 254
        if PARTS[name][2] == "share":
            assert levels == pytest.approx(values, abs=0.5 / 254 + 1e-6)
        else:
            scale = np.percentile(np.abs(values), 95)
            assert 2 * levels - 1 == pytest.approx((values / scale).clip(-1, 1), abs=1.01 / 254)


def test_similar_units_are_neighbours() -> None:
    rng = np.random.default_rng(0)
    courses = rng.normal(size=(3, 20))
    kinds = rng.permutation(np.repeat([0, 1, 2], 7))
    order = _order(courses[kinds] + 0.01 * rng.normal(size=(21, 20)))
    assert sorted(order) == list(range(21))
    assert (np.diff(kinds[order]) != 0).sum() == 2


def test_a_convolution_step_is_shown_at_its_tokens(tmp_path: Path) -> None:
    convolution = Convolution(filters=4, width=3, pool=2)
    predictor = Predictor(make_model(tmp_path, convolution=convolution))
    explanation = explain(predictor, TEXT)
    hidden = explanation.layers[0].parts["hidden"]
    assert hidden.shape[1] == len(explanation.tokens) == 11
    assert (hidden[:, 0:10:2] == hidden[:, 1:11:2]).all()
    assert (hidden[:, 1:9:2] != hidden[:, 2:10:2]).any(0).all()
    assert "2 windows of 3 tokens" in render_explanation(explanation, "a model")


def test_padding_that_the_network_reads_is_shown(tmp_path: Path) -> None:
    predictor = Predictor(
        make_model(tmp_path, pooling="last_padded", bidirectional=False, hidden_sizes=(1,))
    )
    explanation = explain(predictor, "fine film")
    assert explanation.padding == MAX_LENGTH - 2
    assert explanation.contributions.shape == explanation.running.shape == (2,)
    (layer,) = explanation.layers
    assert layer.parts["forget"].shape == (1, MAX_LENGTH)
    with torch.no_grad():  # the head reads the last column
        logit = predictor.network.head(torch.from_numpy(layer.parts["hidden"][:, -1]))
    assert logit.item() == pytest.approx(explanation.logit, abs=1e-6)
    assert "columns of padding" in render_explanation(explanation, "a model")


@settings(max_examples=60)
@given(
    text=st.text() | st.text("ab é😀ñ' \n<&", max_size=30),
    level=st.sampled_from(["word", "bpe", "character"]),
)
def test_the_tokens_join_to_the_text(text: str, level: Level) -> None:
    encoding = TOKENIZERS[level].encode(text)
    tokens = _tokens(text, encoding.offsets, encoding.ids)
    read = "".join(token.before + token.text for token in tokens)
    assert text.startswith(read)
    assert not text.removeprefix(read).strip()
    assert all(token.before.strip() == "" for token in tokens)
    assert len(tokens) == max(1, len(encoding.ids))


TOKENIZERS: dict[Level, Tokenizer] = {
    level: build_tokenizer(TRAINING * 2, vocab_params(level, min_count=2, max_size=300))
    for level in ("word", "bpe", "character")
}


def test_unknown_tokens_are_marked_and_left_out_tokens_are_counted(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path))
    html = render_explanation(explain(predictor, "fine zebra " * MAX_LENGTH), "a model")
    page = Page(html)
    assert page.data["unknown"] == [False, True] * (MAX_LENGTH // 2)
    assert page.data["left_out"] == MAX_LENGTH
    assert f"{MAX_LENGTH} more tokens were left out" in html
    assert "left out" not in render_explanation(explain(predictor, "fine"), "a model")


@pytest.mark.parametrize("text", ["", " \n\t"])
@pytest.mark.parametrize("level", ["word", "bpe", "character"])
def test_the_explanation_of_an_empty_text_has_the_models_answer(
    tmp_path: Path, text: str, level: Level
) -> None:
    predictor = Predictor(make_model(tmp_path, level))
    html = render_explanation(explain(predictor, text), "a model")
    data = Page(html).data
    assert data["probability"] == pytest.approx(float(predictor([text])[0]), abs=1e-6)
    assert (data["tokens"], data["unknown"]) == ([""], [True])
    assert "Nothing is left" in html


@pytest.mark.parametrize("level", ["word", "bpe", "character"])
def test_a_hostile_text_adds_no_element_to_the_page(tmp_path: Path, level: Level) -> None:
    predictor = Predictor(make_model(tmp_path, level, max_length=100))
    page = Page(render_explanation(explain(predictor, HOSTILE), HOSTILE))
    tags = [tag for tag, _ in page.tags]
    plain = Page(render_explanation(explain(predictor, "fine"), "a model"))
    assert tags.count("script") == 2
    assert tags.count("img") == [tag for tag, _ in plain.tags].count("img")
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert page.data["text"] == page.data["model"] == HOSTILE


def test_nothing_is_fetched(tmp_path: Path) -> None:
    predictor = Predictor(make_model(tmp_path))
    html = render_explanation(explain(predictor, "fine https://example.org/x.js film"), "a model")
    page = Page(html)
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    style = "".join(re.findall(r"<style>.*?</style>", html, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    script = html[html.rindex("<script>") :]
    assert not re.search(r"fetch|XMLHttp|import|https?:", script)
    policies = [a for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policies[0]["content"])


def test_the_same_text_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = make_model(tmp_path, pooling="max")
    pages = [render_explanation(explain(Predictor(folder), TEXT), "a model") for _ in range(2)]
    assert pages[0] == pages[1]


def test_figures_of_zero_can_be_drawn(tmp_path: Path) -> None:
    explanation = explain(Predictor(make_model(tmp_path)), TEXT)
    still = [
        one._replace(parts={name: 0 * values for name, values in one.parts.items()})
        for one in explanation.layers
    ]
    zeros = 0 * explanation.contributions
    nothing: Explanation = dataclasses.replace(
        explanation, from_network=zeros, from_ngrams=zeros, layers=tuple(still)
    )
    assert "nan" not in render_explanation(nothing, "a model").lower()


# The command


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a registered model. Its database is made once, because that takes 5 s."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        files = make_model(folder / "files")
        add_champion(files, model_name("vader"), tmp_path_factory.mktemp("scratch"))
        yield folder


def run_explain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[object, str]:
    """Run the command; return the exit code or error message, and the output."""
    monkeypatch.setattr(sys, "argv", ["sentigate", "explain", *arguments])
    with pytest.raises(SystemExit) as error:
        main()
    return error.value.code, capsys.readouterr().out


def test_the_command_explains_the_registered_models_answer(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = run_explain(monkeypatch, capsys, "--", TEXT)
    assert code == 0
    answer = load_predict("models:/sentigate-vader@champion")([TEXT])
    label, probability = answer["label"][0], float(answer["probability"][0])
    assert out == f"{label}\t{probability:.4f}\treports/explanation.html\n"
    data = Page((project / "reports/explanation.html").read_text("utf-8")).data
    total = data["start"] + sum(data["contributions"]) + data["remainder"]
    assert 1 / (1 + np.exp(-total)) == pytest.approx(probability, abs=1e-6)
    assert data["model"] == "models:/sentigate-vader@champion"
    assert [path.name for path in (project / "reports").iterdir()] == ["explanation.html"]


def test_the_command_prints_the_contribution_of_each_part(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    explanation = explain(Predictor(make_model(Path("models"), ngrams=NGRAMS)), TEXT)
    arguments = ("--model", "latest", "--out", "page.html")
    code, out = run_explain(monkeypatch, capsys, TEXT, *arguments)
    assert code == 0
    first, *others = [line.split("\t") for line in out.splitlines()]
    assert first[1:] == [f"{explanation.probability:.4f}", "page.html"]
    assert others == [
        ["start", f"{explanation.start:+.4f}"],
        ["LSTM", f"{explanation.from_network.sum():+.4f}"],
        ["linear", f"{explanation.from_ngrams.sum():+.4f}"],
        ["n-gram", f"{-4.0 * WEIGHT:+.4f}", ". warm!"],
        ["n-gram", f"{2.5 * WEIGHT:+.4f}", "fine film"],
        ["n-gram", f"{-2.0 * WEIGHT:+.4f}", "hours"],
        ["n-gram", f"{1.5 * WEIGHT:+.4f}", "fine"],
        ["n-gram", f"{-0.5 * WEIGHT:+.4f}", "two"],
    ]
    code, out = run_explain(monkeypatch, capsys, "zebra", *arguments)
    assert out.splitlines()[1:] == [
        "start\t-0.4000\tno token is known: the share of positive training texts"
    ]


def test_latest_names_the_model_in_models(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    arguments = ("A FINE  film", "--model", "latest", "--out", "deep/er/page.html")
    message, _ = run_explain(monkeypatch, capsys, *arguments)
    assert str(message).endswith("models/model.json does not exist; run `make train` first")

    make_model(Path("models"), cell="gru")
    code, out = run_explain(monkeypatch, capsys, *arguments)
    assert code == 0
    assert out.endswith("\tdeep/er/page.html\n")
    data = Page(Path("deep/er/page.html").read_text("utf-8")).data
    assert data["tokens"] == ["a", "fine", "film"]  # cleaned as in training


@pytest.mark.parametrize("older", ["keys", "weights"])
def test_an_older_version_is_refused_in_one_line(
    project: Path, older: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (saved,) = (project / "mlartifacts").glob("models/*/artifacts/artifacts/files")
    before = {path: path.read_bytes() for path in saved.iterdir()}
    if older == "keys":
        described = json.loads((saved / "model.json").read_text())
        del described["network"]["cell"]
        (saved / "model.json").write_text(json.dumps(described))
    else:
        weights = load_file(saved / "weights.safetensors")
        renamed = {name.replace("left_to_right", "forward_lstm"): w for name, w in weights.items()}
        save_file(renamed, saved / "weights.safetensors")
    try:
        page = tmp_path / "page.html"
        message, out = run_explain(monkeypatch, capsys, TEXT, "--out", str(page))
    finally:
        for path, content in before.items():
            path.write_bytes(content)
    assert "champion is damaged, or of another version of sentigate" in str(message)
    assert len(str(message).splitlines()) == 1
    assert len(str(message)) < 500
    assert out == ""
    assert not page.exists()


def test_other_wrong_input_is_refused_in_one_line(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    message, _ = run_explain(monkeypatch, capsys, TEXT, "--model", "models:/nothing@champion")
    assert "no model at models:/nothing@champion" in str(message)
    message, _ = run_explain(monkeypatch, capsys, TEXT, "--model", "no/such/folder")
    assert "no model at no/such/folder" in str(message)
    message, _ = run_explain(monkeypatch, capsys, "bad \udcff byte")
    assert message == "sentigate: the text 'bad \\udcff byte' is not valid UTF-8"
    (tmp_path / "folder").mkdir()
    for out in (tmp_path / "folder", tmp_path / "params/page.html"):
        (tmp_path / "params").write_text("a file")
        message, printed = run_explain(monkeypatch, capsys, TEXT, "--out", str(out))
        assert f"{out} cannot be written: " in str(message)
        assert printed == ""
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "params"]
