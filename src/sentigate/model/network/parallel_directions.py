"""Both directions of a layer at once, each on a thread of its own, backwards too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

DirectionFn = Callable[[Tensor], Tensor]

# The second direction's; the first runs on the caller's. A thread in each direction's kernels and
# one meeting a layer is faster than two threads in one kernel, which meet at every time step: the
# more so beside another busy process, for which every meeting waits.
_POOL = ThreadPoolExecutor(1, thread_name_prefix="direction")


@contextmanager
def subnormals_are_zero() -> Iterator[None]:
    """Take numbers below 1e-38 for 0, on this thread and the other direction's.

    Gradients vanish into them through hundreds of steps, and processors take ten times as long.
    """
    _flush(True)
    try:
        yield
    finally:
        _flush(False)


def _flush(on: bool) -> None:
    torch.set_flush_denormal(on)
    _POOL.submit(torch.set_flush_denormal, on).result()


def read_both_ways(
    first: DirectionFn, second: DirectionFn, cells: Sequence[nn.Module], states: Tensor
) -> tuple[Tensor, Tensor]:
    """``first(states)`` and ``second(states)``, but at the same time.

    With one thread in a kernel, the same bits as one after the other.

    Args:
        first: what one direction does, without random numbers.
        second: what the other does.
        cells: the module whose parameters ``first`` uses, and ``second``'s.
        states: (B, T, F).
    """
    if not torch.is_grad_enabled() or states.device.type != "cpu":
        return first(states), second(states)
    parameters = [list(cell.parameters()) for cell in cells]
    outputs: tuple[Tensor, Tensor] = _BothWays.apply(  # type: ignore[no-untyped-call]
        (first, second), parameters, states, *parameters[0], *parameters[1]
    )
    return outputs


class _BothWays(torch.autograd.Function):
    """The engine runs a backward pass on one thread; this one holds a graph for each direction."""

    @staticmethod
    def forward(
        ctx: Any,
        directions: tuple[DirectionFn, DirectionFn],
        parameters: list[list[nn.Parameter]],
        states: Tensor,
        *_: Tensor,
    ) -> tuple[Tensor, Tensor]:
        autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

        def run(direction: DirectionFn) -> tuple[Tensor, Tensor]:
            # Both settings are a thread's own.
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
