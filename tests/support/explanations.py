"""Untrained models to explain, and the page of an explanation as a browser finds it."""

import dataclasses
import json
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from sentigate.data.vocabulary import add_words, build_tokenizer, tokens_of
from sentigate.insight.explanation import explain
from sentigate.model.fusion import Fusion
from sentigate.model.labels import BINARY, Classes
from sentigate.model.network.corrected_embedding import CorrectedEmbedding
from sentigate.model.network.network import Network
from sentigate.model.predictor import Predictor
from sentigate.reporting.explanation_page import render_explanation
from sentigate.settings.model import Level

from .cleaning import cleaning
from .models import architecture, linear_model, save_model, vocab_params
from .project import ROOT

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
    classes: Classes = BINARY,
    threshold: float | None = None,
    **changes: Any,
) -> Path:
    """Save an untrained network as the register stage saves a model.

    With ``ngrams``, words separated by spaces -> weight, the model has all parts of the default
    model: a linear model, word vectors, words outside the training texts, and a temperature. With
    more than two classes, each class has other weights; those of class 0 are ``ngrams``.
    """
    values: dict[str, Any] = {
        "embedding_size": 6, "cell": "lstm", "hidden_sizes": (5,), "bidirectional": True,
        "pooling": "mean", "embedding_dropout": 0.5, "layer_dropout": 0.0, "head_dropout": 0.5,
    }  # fmt: skip
    shape = architecture(**values | changes)
    tokenizer = build_tokenizer(TRAINING * 2, vocab_params(level, min_count=2, max_size=300))
    own = tokenizer.get_vocab_size()
    prior = tuple(-0.4 + 0.3 * number for number in range(classes.scores))
    linear, embedding, fusion = None, None, Fusion(share=0.0, temperature=1.0, prior=prior)
    torch.manual_seed(3)
    if ngrams is not None:
        add_words(tokenizer, OUTSIDE)
        tokens = tokens_of(tokenizer)
        weights = {
            tuple(map(tokens.index, run.split())): numbers
            for run, numbers in _of_classes(ngrams, classes.scores).items()
        }
        linear = linear_model(weights, [0.7 / (1 + k) for k in range(classes.scores)], tokens)
        linear = dataclasses.replace(linear, weights=np.ascontiguousarray(linear.weights))
        vectors = torch.randn(len(tokens), shape.embedding_size)
        vectors[0] = 0.0
        embedding = CorrectedEmbedding(vectors, own)
        fusion = Fusion(share=0.375, temperature=1.7, prior=prior)
    network = Network(shape, tokenizer.get_vocab_size(), classes.scores, embedding)
    for parameter in network.parameters():
        parameter.data *= 2  # then the answers differ between texts
    steps = cleaning("lowercase", "squeeze_whitespace")
    return save_model(
        folder, network, tokenizer, steps, max_length,
        linear=linear, fusion=fusion, classes=classes, threshold=threshold,
    )  # fmt: skip


def classes_of(count: int) -> Classes:
    """Return classes with the names ``kind 0``, ``kind 1`` and so on."""
    return Classes(names=tuple(f"kind {number}" for number in range(count)))


def _of_classes(ngrams: dict[str, float], scores: int) -> dict[str, list[float]]:
    """Give each n-gram a weight per score: half of its neighbour's weight in the score before."""
    weights = list(ngrams.values())
    return {
        run: [(-0.5) ** k * weights[(place - k) % len(weights)] for k in range(scores)]
        for place, run in enumerate(ngrams)
    }


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


def long_text() -> str:
    """Join the reviews of the example table."""
    return " ".join(pd.read_csv(ROOT / "data/own/csv/example.csv", nrows=60)["text"])


def tipping_model(
    folder: Path, recurrence: float, max_length: int, *head: float, classes: Classes = BINARY
) -> Predictor:
    """Make a network of one unit that keeps its sign, and whose logit jumps.

    The bias makes the state positive. The tokens make it negative once their vectors reach 0.3.
    There the logit jumps within one step of a 32-bit number. ``head`` holds the weight of the state
    in each score, or nothing for one score with a weight of 5.
    """
    weights = head or (5.0,)
    tokenizer = build_tokenizer([long_text()], vocab_params(max_size=5000))
    shape = architecture(
        embedding_size=1, cell="lstm", hidden_sizes=(1,), bidirectional=False, pooling="last",
        embedding_dropout=0.0, layer_dropout=0.0, head_dropout=0.0,
    )  # fmt: skip
    network = Network(shape, tokenizer.get_vocab_size(), len(weights))
    with torch.no_grad():
        for name, values in {
            "encoder.layers.0.left_to_right.weight_ih_l0": [[0.0], [0.0], [1.0], [0.0]],
            "encoder.layers.0.left_to_right.weight_hh_l0": [[0.0], [0.0], [recurrence], [0.0]],
            "encoder.layers.0.left_to_right.bias_ih_l0": [9.0, -9.0, 0.3, 9.0],  # input to output
            "encoder.layers.0.left_to_right.bias_hh_l0": [0.0] * 4,
            "head.weight": [[weight] for weight in weights],
            "head.bias": [0.0] * len(weights),
        }.items():
            network.get_parameter(name).copy_(torch.tensor(values))
        network.encoder.embedding.weight[1:] = -1.0
    steps = cleaning("lowercase")
    return Predictor(save_model(folder, network, tokenizer, steps, max_length, classes=classes))
