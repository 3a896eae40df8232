"""Test the page of an explanation: its tokens, its maps, its safety."""

import base64
import dataclasses
import io
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.explanations import (
    HOSTILE,
    MAX_LENGTH,
    NGRAMS,
    TEXT,
    TRAINING,
    Page,
    classes_of,
    long_text,
    make_model,
    page_of,
    tipping_model,
)
from support.models import vocab_params
from tokenizers import Tokenizer

from sentigate.data.vocabulary import build_tokenizer
from sentigate.insight.explanation import Explanation, _tokens, explain
from sentigate.model.labels import Classes
from sentigate.model.predictor import Predictor
from sentigate.reporting.explanation_page import PARTS, render_explanation
from sentigate.settings.model import Level


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
    assert data["probability"] == pytest.approx(float(predictor([text])[0, 1]), abs=1e-6)
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


# Classes


@pytest.mark.parametrize("ngrams", [None, NGRAMS])
@pytest.mark.parametrize("count", [3, 7])
def test_the_page_has_the_figures_of_all_classes(
    tmp_path: Path, count: int, ngrams: dict[str, float] | None
) -> None:
    classes = classes_of(count)
    predictor = Predictor(make_model(tmp_path, ngrams=ngrams, classes=classes, max_length=9))
    explanation = explain(predictor, TEXT)
    page = Page(render_explanation(explanation, "a model"))
    data = page.data
    assert data["classes"] == list(classes.names)
    assert data["probabilities"] == pytest.approx(predictor([TEXT])[0].tolist(), abs=1e-7)
    assert data["answered"] == data["opened"] == explanation.answered
    assert len(data["scores"]) == count
    for label, score in enumerate(data["scores"]):
        total = score["start"] + sum(score["contributions"]) + score["beyond"] + score["remainder"]
        assert total == pytest.approx(explanation.logits[label])
        assert score["contributions"] == explanation.contributions[label].tolist()
        assert score["running"] == explanation.running[:, label].tolist()
        assert score["probability"] == data["probabilities"][label]
        shares = [abs(ngram["share"]) for ngram in score["ngrams"] or ()]
        assert shares == sorted(shares, reverse=True)
        assert bool(shares) == bool(ngrams)
    curves = [one for tag, one in page.tags if tag == "polyline"]
    assert len(curves) == count
    (chosen,) = [n for n, one in enumerate(curves) if str(one["class"]).endswith(" on")]
    assert chosen == explanation.answered


@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_page_opens_with_a_class_and_its_figures_add_up(tmp_path: Path, label: int) -> None:
    predictor = Predictor(make_model(tmp_path, ngrams=NGRAMS, classes=classes_of(3), max_length=9))
    explanation = explain(predictor, TEXT)
    page = Page(render_explanation(explanation, "a model", label))
    assert page.data["opened"] == label
    pressed = [one["aria-pressed"] for tag, one in page.tags if tag == "button"]
    assert pressed == ["true" if number == label else "false" for number in range(3)]
    shown = [page.number(name) for name in ("start", "sum", "beyond", "remainder")]
    assert sum(shown) == page.number("logit")
    assert page.number("network") + page.number("ngrams") == page.number("sum")
    assert sum(Decimal(cell.replace("−", "-")) for cell in page.cells) == page.number("sum")
    assert abs(float(page.number("logit")) - explanation.logits[label]) < 5.1e-5
    assert page.texts["probability"] == f"{explanation.probabilities[label]:.4f}"
    strongest = [share for _, share in explanation.strongest(label, 5)]
    assert page.shares == [f"{share:+.4f}".replace("-", "−") for share in strongest]
    answer = explanation.classes.names[explanation.answered]
    assert f'The model calls this text <span class="">{answer}</span>' in page.html
    others = Page(render_explanation(explanation, "a model", (label + 1) % 3))
    images = [[one["src"] for tag, one in each.tags if tag == "img"] for each in (page, others)]
    assert images[0] == images[1]  # gates and states do not depend on the class


def test_a_page_of_two_classes_names_them_and_has_no_buttons(tmp_path: Path) -> None:
    classes = Classes(names=("ham", "spam"))
    explanation = explain(Predictor(make_model(tmp_path, ngrams=NGRAMS, classes=classes)), TEXT)
    pages = [render_explanation(explanation, "a model", label) for label in (None, 0, 1)]
    assert pages[0] == pages[1] == pages[2]
    body = re.sub(r"<(style|script).*?</\1>", "", pages[0], flags=re.DOTALL)
    assert "positive" not in body
    assert "negative" not in body
    for text in ("% spam</h1>", "towards ham −", "towards spam, in logits", "P(spam) so far"):
        assert text in body
    assert "<button" not in pages[0]
    assert len(Page(pages[0]).data["scores"]) == 1
    unknown = explain(Predictor(make_model(tmp_path, classes=classes)), "zebra")
    assert "the share of spam training texts" in render_explanation(unknown, "a model")


@pytest.mark.parametrize(("threshold", "label"), [(0.999, "negative"), (0.001, "positive")])
def test_the_page_says_from_which_probability_a_model_answers(
    tmp_path: Path, threshold: float, label: str
) -> None:
    html = render_explanation(
        explain(Predictor(make_model(tmp_path, threshold=threshold)), TEXT), "a model"
    )
    assert f">{label}</span>:" in html
    assert f"This model answers positive from {100 * threshold:g} % on." in html
    assert f'y1="{82 - 80 * threshold:.2f}"' in html  # the line in the chart of predictions


@pytest.mark.parametrize("count", [2, 4])
def test_hostile_names_of_classes_add_no_element_to_the_page(tmp_path: Path, count: int) -> None:
    names = tuple(f"{HOSTILE.strip()} {number}" for number in range(count))
    plain = page_of(Predictor(make_model(tmp_path, classes=classes_of(count))), TEXT)
    page = page_of(Predictor(make_model(tmp_path, classes=Classes(names=names))), TEXT)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert page.data["classes"] == list(names)


def test_the_warning_belongs_to_the_class(tmp_path: Path) -> None:
    """The score of class 1 is not far from the mean; it adds up although the network jumps."""
    classes = classes_of(3)
    predictor = tipping_model(tmp_path, 4.0, 250, 5, 0, -5, classes=classes)
    explanation = explain(predictor, long_text())
    assert explanation.adds_up.tolist() == [False, True, False]
    for label, adds_up in enumerate(explanation.adds_up):
        page = Page(render_explanation(explanation, "a model", label))
        (warning,) = [one for _, one in page.tags if one.get("id") == "does-not-add-up"]
        assert ("hidden" in warning) == adds_up
        assert page.data["scores"][label]["adds_up"] == adds_up
