"""Test the gates and states of an explanation: the network's own."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.explanations import MAX_LENGTH, TEXT, make_model

from sentigate.insight.explanation import _order, explain
from sentigate.model.network.architecture import Convolution
from sentigate.model.network.batches import Batches, EncodedSplit
from sentigate.model.predictor import Predictor
from sentigate.model.text.encoding import pad_texts
from sentigate.reporting.explanation_page import render_explanation


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
    assert explanation.contributions.shape == (1, 2)
    assert explanation.running.shape == (2, 2)
    (layer,) = explanation.layers
    assert layer.parts["forget"].shape == (1, MAX_LENGTH)
    with torch.no_grad():  # the head reads the last column
        logit = predictor.network.head(torch.from_numpy(layer.parts["hidden"][:, -1]))
    assert logit.item() == pytest.approx(explanation.logits[0], abs=1e-6)
    assert "columns of padding" in render_explanation(explanation, "a model")
