"""Training in several processes of one machine, as ranks of torch.distributed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

# The other ranks give up on a lost rank after this time, even if an epoch takes longer.
TIMEOUT = timedelta(minutes=10)


class Rank(LightningEnvironment):
    """Tells Lightning the rank of this process, so that Lightning starts no processes itself."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @property
    def creates_processes_externally(self) -> bool:
        """True, because ``ranks`` has started the processes."""
        return True

    def local_rank(self) -> int:
        """The number of this process."""
        return self.number


@contextmanager
def ranks(
    count: int, backend: str, scratch: Path, work: Callable[..., Any], *arguments: Any
) -> Iterator[None]:
    """Make this process rank 0 while other processes run ``work(rank, *arguments)``.

    The ranks meet through a file in ``scratch`` and talk over the loopback interface only.

    Args:
        count: number of processes, including this one.
        backend: gloo or nccl.
        scratch: existing folder on this machine.
        work: function at the top level of a module, run in ranks 1 to ``count`` - 1.
        arguments: further arguments of ``work``.
    """
    meeting = (scratch / "ranks").absolute()
    meeting.unlink(missing_ok=True)
    started = multiprocessing.get_context("spawn")
    others = [
        started.Process(
            target=_run, args=(rank, count, backend, meeting, work, arguments), daemon=True
        )
        for rank in range(1, count)
    ]
    for process in others:
        process.start()
    try:
        with _member(0, count, backend, meeting):
            yield
        for process in others:
            process.join()
    finally:
        for process in others:
            process.kill()
        meeting.unlink(missing_ok=True)


def _run(
    rank: int,
    count: int,
    backend: str,
    meeting: Path,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    with _member(rank, count, backend, meeting):
        work(rank, *arguments)


@contextmanager
def _member(rank: int, count: int, backend: str, meeting: Path) -> Iterator[None]:
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group(
        backend, init_method=meeting.as_uri(), rank=rank, world_size=count, timeout=TIMEOUT
    )
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
