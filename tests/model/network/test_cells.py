"""Cells from scratch equal torch's: outputs, final states and every gradient, in float64."""

import doctest
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples
from torch import Tensor, nn

from sentigate.model.network import cells
from sentigate.model.network.cells import Affine, GRUStep, LSTMStep, Recurrence, lstm_step, rnn_step

FAST = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CLOSE = 1e-6

each_cell = pytest.mark.parametrize("cell", FAST)


def stack(cell: str, reference: nn.RNNBase) -> list[Recurrence]:
    """Return a Recurrence for each layer of a torch network, with its weights."""
    layers = []
    for number in range(reference.num_layers):
        width = reference.hidden_size if number else reference.input_size
        layer = Recurrence(cell, width, reference.hidden_size).double()
        names = [name.removesuffix("_l0") for name, _ in layer.named_parameters()]
        layer.load_state_dict({f"{n}_l0": getattr(reference, f"{n}_l{number}") for n in names})
        layers.append(layer)
    return layers


@each_cell
@examples(60)
@given(
    rows=st.integers(1, 5),
    steps=st.integers(1, 12),
    width=st.integers(1, 7),
    size=st.integers(1, 9),
    layers=st.integers(1, 3),
    scale=st.sampled_from([0.1, 1.0, 5.0]),
    seed=st.integers(0, 2**31),
)
def test_outputs_states_and_gradients_equal_those_of_torch(
    cell: str, rows: int, steps: int, width: int, size: int, layers: int, scale: float, seed: int
) -> None:
    torch.manual_seed(seed)
    reference = FAST[cell](width, size, num_layers=layers, batch_first=True).double()
    ours = stack(cell, reference)
    inputs = scale * torch.randn(rows, steps, width, dtype=torch.float64)
    weighting = torch.randn(rows, steps, size, dtype=torch.float64)

    def scalar(outputs: Tensor, finals: list[Tensor]) -> Tensor:
        """Return a number that depends differently on every output and final state."""
        total = (outputs * weighting).sum()
        return total + sum((n + 2) * final.sin().sum() for n, final in enumerate(finals))

    theirs_in = inputs.clone().requires_grad_()
    expected, final = reference(theirs_in)
    hidden, *cell_state = final if cell == "lstm" else (final,)
    expected_finals = [*hidden, *(cell_state[0] if cell_state else [])]
    scalar(expected, expected_finals).backward()

    ours_in = inputs.clone().requires_grad_()
    outputs, lasts = ours_in, []
    for layer in ours:
        outputs, last = layer(outputs)
        lasts.append(last)
    finals = [last.hidden for last in lasts]
    if cell == "lstm":
        finals += [last.cell for last in lasts]
    scalar(outputs, finals).backward()

    assert (outputs - expected).abs().max() < CLOSE
    for own, theirs in zip(finals, expected_finals, strict=True):
        assert (own - theirs).abs().max() < CLOSE
    assert (ours_in.grad - theirs_in.grad).abs().max() < CLOSE
    for number, layer in enumerate(ours):
        for name, parameter in layer.named_parameters():
            theirs = getattr(reference, f"{name.removesuffix('_l0')}_l{number}").grad
            assert (parameter.grad - theirs).abs().max() < CLOSE, (number, name)


@each_cell
def test_initial_weights_and_names_equal_those_of_torch(cell: str) -> None:
    torch.manual_seed(5)
    reference = FAST[cell](3, 4, batch_first=True).state_dict()
    torch.manual_seed(5)
    own = Recurrence(cell, 3, 4).state_dict()
    assert list(own) == list(reference)
    assert all(torch.equal(own[name], reference[name]) for name in own)


def test_a_scalar_lstm_step_matches_a_hand_calculation() -> None:
    """Each gate is one number: no matrix, no batch, plain arithmetic of the equations."""
    values = {"forget": (0.4, -1.2, 0.3), "input_": (1.1, 0.2, -0.5)}
    values |= {"candidate": (-0.7, 0.9, 0.1), "output": (0.6, -0.3, 1.4)}
    gates = {
        name: Affine(*(torch.tensor(v, dtype=torch.float64).view(s) for v, s in zip(w, SHAPES)))  # noqa: B905
        for name, w in values.items()
    }
    texts = (0.5, -2.0, 1.5)
    h = c = 0.0
    hidden = cell = torch.zeros(1, dtype=torch.float64)
    for x in texts:
        f, i, g, o = (
            squash(w * x + u * h + b)
            for squash, (w, u, b) in zip(
                (sigmoid, sigmoid, math.tanh, sigmoid), values.values(), strict=True
            )
        )
        c = f * c + i * g
        h = o * math.tanh(c)
        step = lstm_step(torch.tensor([x], dtype=torch.float64), hidden, cell, **gates)
        hidden, cell = step.hidden, step.cell
        for own, by_hand in zip(step, (f, i, g, o, c, h), strict=True):
            assert own.shape == (1,)
            assert own.item() == pytest.approx(by_hand, abs=1e-12)


SHAPES = ((1, 1), (1, 1), (1,))


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.numeric
def test_every_step_follows_its_gates() -> None:
    torch.manual_seed(1)
    inputs = torch.randn(3, 6, 4)
    lstm = Recurrence("lstm", 4, 5).steps(inputs)
    before = torch.zeros(3, 5)
    for step in lstm:
        assert isinstance(step, LSTMStep)
        assert torch.equal(step.cell, step.forget * before + step.input * step.candidate)
        assert torch.equal(step.hidden, step.output * step.cell.tanh())
        assert all(((gate > 0) & (gate < 1)).all() for gate in (step.forget, step.input))
        before = step.cell
    before = torch.zeros(3, 5)
    for gru_step in Recurrence("gru", 4, 5).steps(inputs):
        assert isinstance(gru_step, GRUStep)
        mixed = (1 - gru_step.update) * gru_step.candidate + gru_step.update * before
        assert torch.equal(gru_step.hidden, mixed)
        before = gru_step.hidden


@pytest.mark.numeric
def test_a_step_takes_any_batch_shape() -> None:
    gate = Affine(torch.randn(3, 2), torch.randn(3, 3), torch.randn(3))
    x, h = torch.randn(4, 5, 2), torch.randn(4, 5, 3)
    step = rnn_step(x, h, hidden=gate)
    assert step.hidden.shape == (4, 5, 3)
    assert torch.allclose(step.hidden[2, 3], rnn_step(x[2, 3], h[2, 3], hidden=gate).hidden)


def test_the_example_in_the_docstring_is_right() -> None:
    result = doctest.testmod(cells)
    assert result.attempted >= 4
    assert result.failed == 0
