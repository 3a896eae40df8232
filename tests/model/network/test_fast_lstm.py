"""The fast LSTM gives the same logits as the network."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from support.models import architecture

from sentigate.model.network.architecture import Convolution
from sentigate.model.network.fast_lstm import FastLSTM, has_fast_path
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network

pytestmark = pytest.mark.numeric
VOCABULARY = 50


def make(scores: int = 1, **changes: object) -> Network:
    shape = {
        "embedding_size": 7, "cell": "lstm", "hidden_sizes": (6, 5), "bidirectional": True,
        "pooling": "max", "embedding_dropout": 0.5, "layer_dropout": 0.5, "head_dropout": 0.5,
    }  # fmt: skip
    torch.manual_seed(3)
    network = Network(architecture(**(shape | changes)), VOCABULARY, scores)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    with torch.no_grad():
        network.encoder.embedding.weight[0] = 0  # padding, as after training
    return network.eval()


@pytest.mark.parametrize("pooling", ["max", "mean", "last", "attention"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("hidden_sizes", [(6, 5), (6,)])
@examples(15)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    spare=st.integers(0, 3),
    scores=st.sampled_from([1, 4]),
)
@torch.inference_mode()
def test_the_fast_lstm_gives_the_networks_logits(
    pooling: str,
    bidirectional: bool,
    hidden_sizes: tuple[int, ...],
    lengths: list[int],
    spare: int,
    scores: int,
) -> None:
    sizes = {"hidden_sizes": hidden_sizes, "layer_dropout": 0.0}
    network = make(scores, pooling=pooling, bidirectional=bidirectional, **sizes)
    assert has_fast_path(network.architecture)
    lengths = sorted(lengths)
    width = lengths[-1] + spare
    rng = np.random.default_rng(sum(lengths))
    inside = np.arange(width) < np.array(lengths)[:, None]
    ids = np.where(inside, rng.integers(1, VOCABULARY, inside.shape), 0)
    given_ = Inputs(torch.from_numpy(ids), torch.tensor(lengths))
    # FastLSTM may know more tokens than the batch has.
    found = FastLSTM(network, np.vstack((ids, np.full_like(ids, 49))))(given_)
    expected = network(given_)
    assert found.shape == (len(lengths), scores)
    assert found == pytest.approx(expected.numpy(), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "gru"},
        {"cell_from_scratch": True},
        {"convolution": Convolution(filters=4, width=3, pool=1)},
        {"pooling": "last_padded", "bidirectional": False},
    ],
)
def test_other_architectures_have_no_fast_path(changes: dict[str, object]) -> None:
    assert not has_fast_path(make(**changes).architecture)
