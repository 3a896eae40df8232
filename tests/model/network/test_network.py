"""The network: padding never counts, and it equals torch's LSTM over packed sequences."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples
from support.models import architecture
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentigate.model.network.architecture import Architecture, Convolution
from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import ConvolutionBlock, Network
from sentigate.model.network.padded_layout import PaddedLayout
from sentigate.model.network.pooling import Pooling

pytestmark = pytest.mark.numeric
VOCABULARY = 50
SHAPES = [
    pytest.param(sizes, both, pooling, id=f"{len(sizes)}-{'both' if both else 'one'}-{pooling}")
    for sizes in ((7,), (7, 5))
    for both in (False, True)
    for pooling in ("last", "max", "mean", "attention")
]
WHOLE = [  # every cell, fast and from scratch, and every part at least once
    {"cell": "lstm", "cell_from_scratch": True, "bidirectional": True, "hidden_sizes": (7, 5)},
    {"cell": "gru", "bidirectional": True, "pooling": "last"},
    {"cell": "gru", "cell_from_scratch": True, "pooling": "mean"},
    {"cell": "rnn", "bidirectional": True, "hidden_sizes": (7, 5)},
    {"cell": "rnn", "cell_from_scratch": True, "bidirectional": True, "pooling": "attention"},
    {"convolution": {"filters": 5, "width": 3, "pool": 2}, "pooling": "last"},
    {"convolution": {"filters": 5, "width": 5, "pool": 3}, "bidirectional": True},
    {"convolution": {"filters": 5, "width": 1, "pool": 1}, "cell": "gru", "pooling": "mean"},
]
whole = pytest.mark.parametrize("choices", WHOLE, ids=lambda choices: "-".join(map(str, choices)))
shapes = pytest.mark.parametrize(("sizes", "both", "pooling"), SHAPES)


def shape_of(
    sizes: tuple[int, ...], both: bool, pooling: str, dropout: float = 0.0
) -> Architecture:
    return architecture(
        embedding_size=6,
        cell="lstm",
        hidden_sizes=sizes,
        bidirectional=both,
        pooling=pooling,  # type: ignore[arg-type]
        embedding_dropout=dropout,
        layer_dropout=dropout if len(sizes) > 1 else 0.0,
        head_dropout=dropout,
    )


def network(sizes: tuple[int, ...], both: bool, pooling: str, scores: int = 1) -> Network:
    torch.manual_seed(1)
    return Network(shape_of(sizes, both, pooling), VOCABULARY, scores)


def batch(lengths: list[int], width: int | None = None, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Return random ids, 0 after each text's end, and the lengths."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, VOCABULARY, (len(lengths), width or max(lengths)), generator=generator)
    counts = torch.tensor(lengths)
    return ids * (torch.arange(ids.shape[1]) < counts.unsqueeze(1)), counts


def composed(choices: dict[str, Any], scores: int = 1) -> Network:
    torch.manual_seed(1)
    values = shape_of((7,), False, "max").model_dump() | choices
    return Network(architecture(**values), VOCABULARY, scores)


@shapes
@examples(10)
@given(  # few shapes, because oneDNN compiles a kernel for each
    lengths=st.lists(st.sampled_from([1, 2, 7, 12]), min_size=1, max_size=3),
    more=st.sampled_from([0, 4]),
    seed=st.integers(0, 1000),
)
def test_padding_and_other_texts_never_change_a_result(
    sizes: tuple[int, ...], both: bool, pooling: str, lengths: list[int], more: int, seed: int
) -> None:
    padding_changes_nothing(network(sizes, both, pooling), lengths, more, seed)


@whole
@examples(10)
@given(
    lengths=st.lists(st.sampled_from([1, 2, 7, 12]), min_size=1, max_size=3),
    more=st.sampled_from([0, 3]),
    seed=st.integers(0, 1000),
)
def test_padding_never_changes_a_result_with_other_parts(
    choices: dict[str, Any], lengths: list[int], more: int, seed: int
) -> None:
    padding_changes_nothing(composed(choices, scores=4), lengths, more, seed)


def padding_changes_nothing(net: Network, lengths: list[int], more: int, seed: int) -> None:
    net.eval()
    ids, counts = batch(lengths, max(lengths) + more, seed)
    with torch.no_grad():
        together = net(Inputs(ids, counts))
        alone = torch.cat(
            [
                net(Inputs(row[:length].unsqueeze(0), length.view(1)))
                for row, length in zip(ids, counts, strict=True)
            ]
        )
    assert together.shape == (len(lengths), net.head.out_features)
    assert (together - alone).abs().max() < 1e-6


@shapes
def test_the_result_depends_on_every_token(
    sizes: tuple[int, ...], both: bool, pooling: str
) -> None:
    net = network(sizes, both, pooling).eval()
    ids, counts = batch([6])
    before = net(Inputs(ids, counts))
    for position in range(6):
        changed = ids.clone()
        changed[0, position] = changed[0, position] % (VOCABULARY - 1) + 1
        assert net(Inputs(changed, counts)) != before


@whole
def test_every_part_depends_on_every_token_and_learns(choices: dict[str, Any]) -> None:
    net = composed(choices, scores=3)
    ids, counts = batch([12])
    net(Inputs(ids, counts)).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    read = ids.unique()
    if net.architecture.pooling != "max":  # with max, a token may be largest in no feature
        assert (net.encoder.embedding.weight.grad[read].abs().sum(1) > 0).all()


def test_last_padded_reads_padding() -> None:
    """The same text with more padding behind it is another input."""
    net = network((7,), False, "last_padded").eval()
    ids, counts = batch([5], width=5)
    longer = torch.cat((ids, torch.zeros(1, 3, dtype=torch.int64)), dim=1)
    assert (net(Inputs(ids, counts)) - net(Inputs(longer, counts))).abs() > 1e-4
    reference = nn.LSTM(6, 7, batch_first=True)
    reference.load_state_dict(net.encoder.layers[0].left_to_right.state_dict())
    outputs, _ = reference(net.encoder.embedding(longer))
    assert torch.allclose(net.head(outputs[:, -1]), net(Inputs(longer, counts)))
    net(Inputs(longer, counts)).sum().backward()
    assert net.encoder.embedding.weight.grad[0].abs().max() > 0  # it learns a vector for padding


def test_attention_matches_a_hand_calculation() -> None:
    """Weights are a softmax over each text's own tokens (Yang et al. 2016)."""
    torch.manual_seed(4)
    pooling = Pooling("attention", 3, False)
    states, layout = torch.randn(2, 4, 3), PaddedLayout(torch.tensor([2, 4]), 4)
    pooled = pooling(states, layout)
    assert pooling.attention is not None
    for row, length in enumerate((2, 4)):
        scores = [
            pooling.attention.context(torch.tanh(pooling.attention.projection(state))).item()
            for state in states[row, :length]
        ]
        shares = [math.exp(score) / sum(map(math.exp, scores)) for score in scores]
        expected = sum(share * state for share, state in zip(shares, states[row], strict=False))
        assert torch.allclose(pooled[row], expected, atol=1e-6)


@examples(25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 4))
def test_convolution_of_a_batch_equals_that_of_each_text(lengths: list[int], pool: int) -> None:
    torch.manual_seed(6)
    windows = ConvolutionBlock(3, Convolution(filters=4, width=3, pool=pool))
    width = max(lengths)
    layout = PaddedLayout(torch.tensor(lengths), width)
    states = torch.randn(len(lengths), width, 3) * layout.mask
    features, shorter = windows(states, layout)
    assert shorter.lengths.tolist() == [math.ceil(length / pool) for length in lengths]
    for row, length in enumerate(lengths):
        alone = windows.convolution(states[row, :length].T.unsqueeze(0)).relu().squeeze(0)
        expected = torch.stack([part.amax(1) for part in alone.split(pool, dim=1)])
        assert torch.allclose(features[row, : len(expected)], expected, atol=1e-6)
        assert not features[row, len(expected) :].any()


class Packed(nn.Module):
    """The reference: torch's stacked LSTM over packed sequences, pooled one text at a time."""

    def __init__(self, net: Network, both: bool, pooling: str) -> None:
        super().__init__()
        self.embedding, self.head = net.encoder.embedding, net.head
        self.both, self.pooling, self.attention = both, pooling, net.pooling
        self.lstms = nn.ModuleList()
        for layer in net.encoder.layers:
            parts = {"": layer.left_to_right, "_reverse": layer.right_to_left}
            width, size = layer.left_to_right.input_size, layer.left_to_right.hidden_size
            lstm = nn.LSTM(width, size, batch_first=True, bidirectional=both)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                for suffix, part in parts.items():
                    if part is not None:  # the same parameters, so that they collect the gradients
                        setattr(lstm, f"{name}_l0{suffix}", getattr(part, f"{name}_l0"))
            self.lstms.append(lstm)

    def forward(self, inputs: Inputs) -> Tensor:
        ids, lengths = inputs
        states = self.embedding(ids)
        for lstm in self.lstms:
            packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            outputs, (final, _) = lstm(packed)
            states, _ = pad_packed_sequence(outputs, batch_first=True, total_length=ids.shape[1])
        if self.pooling == "attention":
            return self.head(self.attention(states, PaddedLayout(lengths, ids.shape[1])))
        if self.pooling == "last":
            pooled = torch.cat((final[0], final[1]), dim=1) if self.both else final[0]
        else:
            pool = (lambda s: s.amax(0)) if self.pooling == "max" else (lambda s: s.mean(0))
            pooled = torch.stack([pool(s[:n]) for s, n in zip(states, lengths, strict=True)])
        return self.head(pooled)


@shapes
def test_the_network_equals_torchs_packed_lstm(
    sizes: tuple[int, ...], both: bool, pooling: str
) -> None:
    net = network(sizes, both, pooling)
    reference = Packed(net, both, pooling)
    ids, lengths = batch([3, 1, 11, 11, 7], width=16)

    def run(module: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
        net.zero_grad()
        logits = module(Inputs(ids, lengths))
        logits.square().sum().backward()
        return logits.detach(), {k: p.grad.clone() for k, p in net.named_parameters()}

    logits, gradients = run(net)
    expected, expected_gradients = run(reference)
    assert (logits - expected).abs().max() < 1e-5
    assert gradients.keys() == expected_gradients.keys()
    for name, gradient in gradients.items():
        assert (gradient - expected_gradients[name]).abs().max() < 1e-5, name
        assert gradient.abs().max() > 0, name


def test_pooling_matches_a_hand_calculation() -> None:
    """Two texts of 2 and 3 tokens, one feature per direction; later values must not count."""
    states = torch.tensor(
        [
            [[1.0, -1.0], [-3.0, -5.0], [99.0, 99.0], [-99.0, -99.0]],
            [[-2.0, 4.0], [-6.0, 5.0], [-1.0, 0.0], [99.0, -99.0]],
        ]
    )
    layout = PaddedLayout(torch.tensor([2, 3]), 4)
    expected = {
        ("max", True): [[1.0, -1.0], [-1.0, 5.0]],
        ("mean", True): [[-1.0, -3.0], [-3.0, 3.0]],
        ("last", False): [[-3.0, -5.0], [-1.0, 0.0]],
        ("last", True): [[-3.0, -1.0], [-1.0, 4.0]],  # from right to left, the first token is last
    }
    for (kind, both), values in expected.items():
        assert Pooling(kind, 2, both)(states, layout).tolist() == values


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 4))
def test_reversal_is_its_own_inverse(lengths: list[int], more: int) -> None:
    width = max(lengths) + more
    layout = PaddedLayout(torch.tensor(lengths), width)
    states = torch.arange(len(lengths) * width * 2).reshape(len(lengths), width, 2).float()
    reversed_states = layout.reverse(states)
    assert torch.equal(layout.reverse(reversed_states), states)
    for row, length in enumerate(lengths):
        assert torch.equal(reversed_states[row, :length], states[row, :length].flip(0))
        assert torch.equal(reversed_states[row, length:], states[row, length:])


def test_padding_stays_the_zero_vector() -> None:
    net = network((7,), True, "max")
    assert (net.encoder.embedding.weight[0] == 0).all()
    ids, lengths = batch([2, 5])
    net(Inputs(ids, lengths)).sum().backward()
    assert (net.encoder.embedding.weight.grad[0] == 0).all()


def test_dropout_is_off_in_evaluation() -> None:
    torch.manual_seed(3)
    net = Network(shape_of((7, 5), True, "mean", dropout=0.5), VOCABULARY, 1)
    ids, lengths = batch([4, 9])
    assert not torch.equal(net(Inputs(ids, lengths)), net(Inputs(ids, lengths)))
    net.eval()
    assert torch.equal(net(Inputs(ids, lengths)), net(Inputs(ids, lengths)))


@pytest.mark.parametrize("scores", [1, 3, 7])
def test_the_number_of_parameters_matches_a_hand_calculation(scores: int) -> None:
    """Each unit and direction has four gates with input, recurrent and two bias weights."""
    net = network((7, 5), True, "max", scores)

    def lstm(width: int, size: int) -> int:
        return 2 * 4 * size * (width + size + 2)

    expected = VOCABULARY * 6 + lstm(6, 7) + lstm(14, 5) + scores * (10 + 1)
    assert sum(math.prod(p.shape) for p in net.parameters()) == expected


@pytest.mark.parametrize("scores", [1, 3])
def test_a_text_may_have_one_token(scores: int) -> None:
    net = network((7,), True, "last", scores).eval()
    assert net(Inputs(torch.tensor([[1]]), torch.tensor([1]))).shape == (1, scores)


@pytest.mark.parametrize("scores", [1, 3, 7])
def test_weights_alone_rebuild_the_network(scores: int) -> None:
    """The number of logits is that of the head's weights."""
    net = network((7, 5), True, "attention", scores).eval()
    again = Network.from_weights(net.architecture, VOCABULARY, net.state_dict())
    inputs = Inputs(*batch([4, 9]))
    assert not again.training
    assert torch.equal(again(inputs), net(inputs))
    assert again(inputs).shape == (2, scores)
