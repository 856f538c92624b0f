"""The relay between an answer and its reader."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest
from starlette.requests import Request
from starlette.types import Message

from pilothouse_query.chat.relay import ClientGone, Silence, relay


def connected(receive: Callable[[], Awaitable[Message]]) -> Request:
    return Request({"type": "http"}, receive)


async def never() -> Message:
    await asyncio.Event().wait()
    return {"type": "http.request"}


class Source:
    def __init__(self, *, hangs: bool = False, fails: bool = False) -> None:
        self.hangs = hangs
        self.fails = fails
        self.closed = asyncio.Event()

    async def items(self) -> AsyncGenerator[str]:
        try:
            yield "one"
            if self.fails:
                raise ValueError("broken")
            if self.hangs:
                await asyncio.Event().wait()
            yield "two"
        finally:
            self.closed.set()


async def test_items_come_through_in_order() -> None:
    assert [item async for item in relay(Source().items(), connected(never))] == ["one", "two"]


async def test_errors_come_through() -> None:
    with pytest.raises(ValueError, match="broken"):
        _ = [item async for item in relay(Source(fails=True).items(), connected(never))]


async def test_silence_is_reported_while_the_source_is_slow() -> None:
    source = Source(hangs=True)
    async with aclosing(relay(source.items(), connected(never), silence=0.01)) as items:
        assert await anext(items) == "one"
        assert isinstance(await anext(items), Silence)
    assert source.closed.is_set()


async def test_a_client_that_leaves_closes_the_source() -> None:
    leaves = asyncio.Event()

    async def receive() -> Message:
        await leaves.wait()
        return {"type": "http.disconnect"}

    source = Source(hangs=True)
    items = relay(source.items(), connected(receive))
    assert await anext(items) == "one"
    leaves.set()
    with pytest.raises(ClientGone):
        await anext(items)
    assert source.closed.is_set()
