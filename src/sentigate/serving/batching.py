"""Answer concurrent requests in common batches, on one thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from sentigate.model.columns import Columns
from sentigate.model.labels import Classes
from sentigate.model.predictor import Answers

from .request_errors import RequestError

BATCH = 512
"""Texts of one batch. A larger request is answered in parts, so that others can be answered between
them."""
MAX_WAITING = 200_000
"""Texts that may wait; the next request is refused."""


class Judge(Protocol):
    """A model that answers."""

    @property
    def classes(self) -> Classes:
        """The classes that the model answers."""
        ...

    @property
    def columns(self) -> Columns:
        """The columns that the model was trained on."""
        ...

    def judge(self, texts: Sequence[str], /) -> Answers:
        """Return the answers to raw texts, with notes."""
        ...


class Served(NamedTuple):
    """The model that answers new requests.

    Attributes:
        judge: The model.
        name: Name or URI of the model.
        version: Version in the registry, or "".
        files: The folder of the model's files, for explanations.
    """

    judge: Judge
    name: str
    version: str
    files: Path


class _Request:
    def __init__(self, texts: Sequence[str], model: Served) -> None:
        self.texts, self.model = texts, model
        self.taken = 0
        self.parts: list[Answers] = []
        self.done: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()

    @property
    def waiting(self) -> int:
        return len(self.texts) - self.taken


class Batcher:
    """Gathers the texts that arrive while the model is busy, and answers them together.

    An idle model answers at once: nothing waits for a batch to fill.

    Attributes:
        model: The model for new requests. A request keeps the model that it began with.
        batches: Number of answered batches.
    """

    def __init__(self, model: Served) -> None:
        self.model = model
        self.batches = 0
        self._requests: deque[_Request] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Number of texts that wait."""
        return sum(request.waiting for request in self._requests)

    async def answer(self, texts: Sequence[str]) -> tuple[Served, Answers]:
        """Return the answers to a request's texts, and the model that gave them.

        Raises:
            RequestError: too many texts wait already.
        """
        if self.waiting + len(texts) > MAX_WAITING:
            raise RequestError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{self.waiting:,} texts wait already; allowed: {MAX_WAITING:,}. Send the request "
                "again later",
                retry_after=1,
            )
        request = _Request(texts, self.model)
        self._requests.append(request)
        self._arrived.set()
        return request.model, await request.done

    def start(self) -> None:
        """Start to answer, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """Stop to answer; the texts that still wait are not answered."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            batch = self._take()
            if not batch:
                self._arrived.clear()
                continue
            texts = [text for request, start, end in batch for text in request.texts[start:end]]
            judge = batch[0][0].model.judge
            try:
                answers = await loop.run_in_executor(self._thread, judge.judge, texts)
            except Exception as error:
                for request, _, _ in batch:
                    _fail(request, error)
                continue
            self.batches += 1
            done = 0
            for request, start, end in batch:
                request.parts.append(_slice(answers, done, done + end - start))
                done += end - start
                if end == len(request.texts) and not request.done.done():
                    request.done.set_result(_joined(request.parts))

    def _take(self) -> list[tuple[_Request, int, int]]:
        """Take the next batch: a part of each of the first requests for the same model."""
        taken: list[tuple[_Request, int, int]] = []
        count = 0
        for _ in range(len(self._requests)):
            request = self._requests[0]
            if request.done.done():  # the client has disconnected, or an earlier part failed
                self._requests.popleft()
                continue
            if count == BATCH or (taken and request.model is not taken[0][0].model):
                break
            self._requests.popleft()
            end = min(request.taken + BATCH - count, len(request.texts))
            taken.append((request, request.taken, end))
            count += end - request.taken
            request.taken = end
            if request.waiting:
                self._requests.append(request)
        return taken


def _fail(request: _Request, error: Exception) -> None:
    if not request.done.done():
        request.done.set_exception(error)


def _slice(answers: Answers, start: int, end: int) -> Answers:
    return Answers(
        answers.labels[start:end],
        answers.confidences[start:end],
        answers.probabilities[start:end],
        answers.notes[start:end],
    )


def _joined(parts: Sequence[Answers]) -> Answers:
    if len(parts) == 1:
        return parts[0]
    return Answers(
        [label for part in parts for label in part.labels],
        np.concatenate([part.confidences for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        [note for part in parts for note in part.notes],
    )
