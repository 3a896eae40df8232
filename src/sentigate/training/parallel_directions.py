"""The two directions of a layer at the same time, each on its own thread, backwards too."""

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

# The thread of the second direction; the first runs on the caller's. One thread for each direction,
# which wait for each other once a layer, is faster than two threads in one kernel, which wait at
# every time step; the more so where other processes are busy.
_POOL = ThreadPoolExecutor(1, thread_name_prefix="direction")


@contextmanager
def subnormals_are_zero() -> Iterator[None]:
    """Round numbers below 1e-38 to 0, on this thread and on the second direction's.

    Over hundreds of steps gradients get so small, and processors take ten times as long for them.
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
    """Let every layer of ``network`` that reads in both directions do so at the same time."""
    for layer in network.modules():
        if isinstance(layer, Layer) and layer.right_to_left is not None:
            cells = (layer.left_to_right, layer.right_to_left)
            layer.read_both = partial(read_both_ways, cells=cells)


def read_both_ways(
    first: Direction, second: Direction, states: Tensor, cells: Sequence[nn.Module]
) -> tuple[Tensor, Tensor]:
    """``first(states)`` and ``second(states)``, at the same time where gradients are wanted.

    With one thread in a kernel, the bits are the same as one after the other.

    Args:
        first: one direction; draws no random numbers.
        second: the other direction.
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
    """A graph for each direction, because torch runs the backward pass of one on one thread."""

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
            # A new thread has neither setting.
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
