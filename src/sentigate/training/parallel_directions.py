"""Run the two directions of a layer in parallel, each on its own thread, also when backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sentigate.model.network.network import Direction, Layer

# The thread of the second direction; the first direction runs on the caller's thread. Two threads
# in one kernel wait for each other at every time step. These two wait once per layer, which is
# faster, above all when other processes are busy.
_POOL = ThreadPoolExecutor(1, thread_name_prefix="direction")


@contextmanager
def subnormals_are_zero() -> Iterator[None]:
    """Round numbers below 1e-38 to 0, on this thread and on the second direction's thread.

    Gradients get so small over hundreds of steps, and make processors ten times as slow.
    """
    _flush(True)
    try:
        yield
    finally:
        _flush(False)


def _flush(on: bool) -> None:
    torch.set_flush_denormal(on)
    _POOL.submit(torch.set_flush_denormal, on).result()


def read_in_parallel(network: nn.Module) -> None:
    """Make every bidirectional layer of ``network`` run its directions in parallel."""
    for layer in network.modules():
        if isinstance(layer, Layer) and layer.right_to_left is not None:
            cells = (layer.left_to_right, layer.right_to_left)
            layer.read_both = partial(read_both_ways, cells=cells)


def read_both_ways(
    first: Direction, second: Direction, states: Tensor, cells: Sequence[nn.Module]
) -> tuple[Tensor, Tensor]:
    """Return ``first(states)`` and ``second(states)``, run in parallel if gradients are needed.

    With one thread per kernel, the bits are the same as without parallel runs.

    Args:
        first: one direction; must draw no random numbers.
        second: the other direction; must draw no random numbers.
        states: (B, T, F).
        cells: the modules whose parameters ``first`` and ``second`` use.
    """
    if not torch.is_grad_enabled() or states.device.type != "cpu":
        return first(states), second(states)
    parameters = [list(cell.parameters()) for cell in cells]
    outputs: tuple[Tensor, Tensor] = _BothWays.apply(  # type: ignore[no-untyped-call]
        (first, second), parameters, states, *parameters[0], *parameters[1]
    )
    return outputs


class _BothWays(torch.autograd.Function):
    """A graph for each direction, because torch runs a graph's backward pass on one thread."""

    @staticmethod
    def forward(
        ctx: Any,
        directions: tuple[Direction, Direction],
        parameters: list[list[nn.Parameter]],
        states: Tensor,
        *_: Tensor,
    ) -> tuple[Tensor, Tensor]:
        autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

        def run(direction: Direction) -> tuple[Tensor, Tensor]:
            # A thread of its own inherits neither setting.
            with torch.enable_grad(), torch.autocast("cpu", autocast[1], enabled=autocast[0]):
                start = states.detach().requires_grad_(states.requires_grad)
                return start, direction(start)

        second = _POOL.submit(run, directions[1])
        ctx.runs = run(directions[0]), second.result()
        ctx.parameters = parameters
        first_end, second_end = (end.detach() for _, end in ctx.runs)
        return first_end, second_end

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        def run(number: int) -> list[Tensor | None]:
            start, end = ctx.runs[number]
            wanted = [p for p in (start, *ctx.parameters[number]) if p.requires_grad]
            found = iter(torch.autograd.grad(end, wanted, gradients[number]))
            return [
                next(found) if p.requires_grad else None for p in (start, *ctx.parameters[number])
            ]

        later = _POOL.submit(run, 1)
        first, second = run(0), later.result()
        ctx.runs = None
        states = None if first[0] is None or second[0] is None else first[0] + second[0]
        return None, None, states, *first[1:], *second[1:]
