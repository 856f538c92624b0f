"""Passes a stream on while watching the client: keep-alives for the patient, an end for the gone.

Whether a server notices a closed connection while it has nothing to send depends on its version,
so the watch is kept here: when the client is gone the source is closed, and with it the model's call.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Generic, TypeVar

from starlette.requests import Request

T = TypeVar("T")

KEEP_ALIVE_SECONDS = 10.0


class ClientGone(Exception):
    """The client closed the connection before the answer was complete."""


class Silence:
    """Nothing came for a while; send a comment so that proxies keep the connection."""


class _End:
    pass


class _Failed(Generic[T]):
    def __init__(self, error: BaseException) -> None:
        self.error = error


async def relay(
    source: AsyncIterator[T], request: Request, *, silence: float = KEEP_ALIVE_SECONDS
) -> AsyncGenerator[T | Silence]:
    """The source's items, with `Silence` between them where they are slow.

    Raises what the source raises, and `ClientGone`. The source runs in one task of its own, because
    the timeouts and connections inside it must be left by the task that entered them.
    """
    queue: asyncio.Queue[T | _End | _Failed[T] | ClientGone] = asyncio.Queue()
    tasks = [asyncio.create_task(_produce(source, queue)), asyncio.create_task(_watch(request, queue))]
    try:
        while True:
            try:
                async with asyncio.timeout(silence):
                    item = await queue.get()
            except TimeoutError:
                yield Silence()
                continue
            if isinstance(item, _End):
                return
            if isinstance(item, _Failed):
                raise item.error
            if isinstance(item, ClientGone):
                raise item
            yield item
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _produce(
    source: AsyncIterator[T], queue: "asyncio.Queue[T | _End | _Failed[T] | ClientGone]"
) -> None:
    try:
        if isinstance(source, AsyncGenerator):
            async with aclosing(source):
                async for item in source:
                    queue.put_nowait(item)
        else:
            async for item in source:
                queue.put_nowait(item)
    except Exception as exc:
        queue.put_nowait(_Failed(exc))
    else:
        queue.put_nowait(_End())


async def _watch(request: Request, queue: "asyncio.Queue[T | _End | _Failed[T] | ClientGone]") -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    queue.put_nowait(ClientGone())
