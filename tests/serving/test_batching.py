"""Concurrent requests are answered in common batches, in order, each by one model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TypeVar

import numpy as np
import pytest

from sentigate.model.columns import PLAIN
from sentigate.model.labels import BINARY
from sentigate.model.predictor import Answers
from sentigate.serving.batching import BATCH, MAX_WAITING, Batcher, Served
from sentigate.serving.request_errors import RequestError

T = TypeVar("T")


class Recorder:
    """A model whose note on a text is its own name and the text."""

    classes, columns = BINARY, PLAIN

    def __init__(self, name: str = "a") -> None:
        self.name, self.batches, self.free = name, list[int](), Event()
        self.free.set()

    def judge(self, texts: Sequence[str], /) -> Answers:
        self.free.wait(10)
        self.batches.append(len(texts))
        if "broken" in texts:
            raise RuntimeError("no answer")
        half = np.full(len(texts), 0.5, dtype=np.float32)
        notes = [f"{self.name} {text}" for text in texts]
        return Answers(["positive"] * len(texts), half, np.stack([half, half], axis=1), notes)


def run(model: Recorder, use: Callable[[Batcher], Awaitable[T]]) -> T:
    async def main() -> T:
        batcher = Batcher(Served(model, model.name, "", Path()))
        batcher.start()
        try:
            return await asyncio.wait_for(use(batcher), 20)
        finally:
            await batcher.stop()

    return asyncio.run(main())


async def notes(batcher: Batcher, texts: Sequence[str]) -> list[str]:
    return (await batcher.answer(texts))[1].notes


def test_requests_that_arrive_while_the_model_is_busy_share_a_batch() -> None:
    model = Recorder()

    async def use(batcher: Batcher) -> list[list[str]]:
        model.free.clear()
        first = asyncio.create_task(notes(batcher, ["first"]))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(notes(batcher, [f"{n}", f"{n}!"])) for n in range(20)]
        await asyncio.sleep(0.05)
        assert batcher.waiting == 40
        model.free.set()
        return [await first, *[await other for other in others]]

    answers = run(model, use)
    assert model.batches == [1, 40]
    assert answers == [["a first"], *[[f"a {n}", f"a {n}!"] for n in range(20)]]


def test_a_large_request_leaves_room_for_others() -> None:
    model = Recorder()
    ended = []

    async def use(batcher: Batcher) -> None:
        async def ask(name: str, count: int) -> None:
            found = await notes(batcher, [f"{name}{n}" for n in range(count)])
            assert found == [f"a {name}{n}" for n in range(count)]
            ended.append(name)

        model.free.clear()
        large = asyncio.create_task(ask("large", 10 * BATCH))
        small = asyncio.create_task(ask("small", 3))
        await asyncio.sleep(0.05)
        model.free.set()
        await asyncio.gather(large, small)

    run(model, use)
    assert ended == ["small", "large"]
    assert max(model.batches) == BATCH
    assert sum(model.batches) == 10 * BATCH + 3


def test_a_request_keeps_the_model_that_it_began_with() -> None:
    old, new = Recorder("old"), Recorder("new")

    async def use(batcher: Batcher) -> list[list[str]]:
        old.free.clear()
        before = [asyncio.create_task(notes(batcher, ["x"] * (BATCH + 1))) for _ in range(2)]
        await asyncio.sleep(0.05)
        batcher.model = Served(new, "new", "2", Path())
        after = asyncio.create_task(notes(batcher, ["x"]))
        await asyncio.sleep(0.05)
        old.free.set()
        return [*[await each for each in before], await after]

    first, second, third = run(old, use)
    assert set(first) == set(second) == {"old x"}
    assert third == ["new x"]


def test_a_failure_reaches_its_request_and_the_next_one_is_answered() -> None:
    async def use(batcher: Batcher) -> list[str]:
        with pytest.raises(RuntimeError, match="no answer"):
            await notes(batcher, ["broken"])
        return await notes(batcher, ["fine"])

    assert run(Recorder(), use) == ["a fine"]


def test_a_request_that_its_client_gave_up_is_not_answered() -> None:
    model = Recorder()

    async def use(batcher: Batcher) -> None:
        model.free.clear()
        first = asyncio.create_task(notes(batcher, ["first"]))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(notes(batcher, ["gone"] * 5))
        await asyncio.sleep(0.05)
        gone.cancel()
        model.free.set()
        await first
        await notes(batcher, ["last"])

    run(model, use)
    assert model.batches == [1, 1]


def test_too_many_waiting_texts_are_refused() -> None:
    async def use(batcher: Batcher) -> RequestError:
        with pytest.raises(RequestError) as caught:
            await batcher.answer(["x"] * (MAX_WAITING + 1))
        return caught.value

    error = run(Recorder(), use)
    assert (error.status, error.retry_after) == (429, 1)
