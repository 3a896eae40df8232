"""Parallel directions: the same states and gradients as a sequential run."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from support.models import architecture
from torch import Tensor, nn

from sentigate.model.network.inputs import Inputs
from sentigate.model.network.network import Network
from sentigate.training.parallel_directions import (
    _POOL,
    read_both_ways,
    read_in_parallel,
    subnormals_are_zero,
)

pytestmark = pytest.mark.numeric


def cells(kind: type[nn.Module] = nn.LSTM) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(1)
    return kind(6, 5, batch_first=True), kind(6, 5, batch_first=True)


def both(pair: tuple[nn.Module, nn.Module], states: Tensor) -> tuple[Tensor, Tensor]:
    first, second = pair
    return read_both_ways(
        lambda states: first(states)[0], lambda states: second(states.flip(1))[0], states, pair
    )


def in_sequence(pair: tuple[nn.Module, nn.Module], states: Tensor) -> tuple[Tensor, Tensor]:
    return pair[0](states)[0], pair[1](states.flip(1))[0]


def gradients(
    read: Callable[[tuple[nn.Module, nn.Module], Tensor], tuple[Tensor, Tensor]],
    pair: tuple[nn.Module, nn.Module],
    states: Tensor,
) -> list[Tensor]:
    wanted = [t for t in (states, *pair[0].parameters(), *pair[1].parameters()) if t.requires_grad]
    first, second = read(pair, states)
    return list(torch.autograd.grad((first.square() + second.sin()).sum(), wanted))


def close(found: list[Tensor], expected: list[Tensor], tolerance: float = 1e-6) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(torch.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Use one thread in the kernels of both directions; each thread has its own setting."""
    before = torch.get_num_threads(), _POOL.submit(torch.get_num_threads).result()
    _POOL.submit(torch.set_num_threads, 1).result()
    torch.set_num_threads(1)
    yield
    _POOL.submit(torch.set_num_threads, before[1]).result()
    torch.set_num_threads(before[0])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.usefixtures("one_thread")
def test_parallel_directions_have_the_same_bits(kind: type[nn.Module], wanted: bool) -> None:
    pair = cells(kind)
    states = torch.randn(3, 4, 6, requires_grad=wanted)
    for mine, theirs in zip(both(pair, states), in_sequence(pair, states), strict=True):
        assert torch.equal(mine, theirs)
    found, expected = (gradients(read, pair, states) for read in (both, in_sequence))
    assert len(found) == 8 + wanted
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_with_several_threads_only_rounding_differs(kind: type[nn.Module]) -> None:
    pair = cells(kind)
    states = torch.randn(3, 4, 6, requires_grad=True)
    assert close(list(both(pair, states)), list(in_sequence(pair, states)))
    assert close(*(gradients(read, pair, states) for read in (both, in_sequence)))


def test_frozen_parameters_get_no_gradient() -> None:
    pair = cells()
    pair[0].requires_grad_(False)
    states = torch.randn(3, 4, 6, requires_grad=True)
    found, expected = (gradients(read, pair, states) for read in (both, in_sequence))
    assert len(found) == 5
    assert close(found, expected)


def test_autocast_applies_to_both_directions() -> None:
    """It uses linear layers, because not every processor has an LSTM in bfloat16."""
    pair = nn.Linear(6, 5), nn.Linear(6, 5)
    states = torch.randn(3, 4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        found = read_both_ways(*pair, states, pair)
        expected = [linear(states) for linear in pair]
    assert {direction.dtype for direction in found} == {torch.bfloat16}
    assert close(list(found), expected, 0.01)


def test_a_second_thread_runs_only_if_a_gradient_is_needed() -> None:
    pair = cells()
    seen = []

    def watched(states: Tensor) -> Tensor:
        seen.append(threading.get_ident())
        return states * 1

    states = torch.randn(2, 3, 6, requires_grad=True)
    read_both_ways(watched, watched, states, pair)
    assert len(set(seen)) == 2
    seen.clear()
    with torch.no_grad():
        read_both_ways(watched, watched, states, pair)
    assert set(seen) == {threading.get_ident()}


def test_an_error_in_either_direction_is_raised() -> None:
    def fails(states: Tensor) -> Tensor:
        raise ValueError("wrong")

    pair, states = cells(), torch.randn(2, 3, 6)
    for order in ((fails, torch.sin), (torch.sin, fails)):
        with pytest.raises(ValueError, match="wrong"):
            read_both_ways(*order, states, pair)


def test_subnormals_are_zero_in_both_directions_only_within_the_context() -> None:
    states = torch.full((1, 1, 1), 1e-30, requires_grad=True)
    nothing = nn.Identity()

    def results() -> list[bool]:
        outputs = read_both_ways(
            lambda states: states * 1e-10, lambda states: states * 1e-10, states, (nothing, nothing)
        )
        return [bool(output) for output in outputs]

    assert results() == [True, True]
    with subnormals_are_zero():
        assert results() == [False, False]
    assert results() == [True, True]


@pytest.mark.usefixtures("one_thread")
def test_a_network_gets_the_same_gradients() -> None:
    torch.manual_seed(1)
    shape = architecture(
        embedding_size=6,
        cell="lstm",
        hidden_sizes=(5, 4),
        bidirectional=True,
        pooling="max",
        embedding_dropout=0.0,
        layer_dropout=0.0,
        head_dropout=0.0,
    )
    network = Network(shape, 9, 1)
    inputs = Inputs(torch.tensor([[2, 3, 4], [5, 6, 0]]), torch.tensor([3, 2]))
    found = []
    for in_parallel in (False, True):
        if in_parallel:
            read_in_parallel(network)
        replaced = {isinstance(layer.read_both, partial) for layer in network.encoder.layers}
        assert replaced == {in_parallel}
        found.append(torch.autograd.grad(network(inputs).sum(), list(network.parameters())))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
