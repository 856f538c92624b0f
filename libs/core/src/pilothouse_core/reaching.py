"""Calls to another program that may be away for a moment: it is being replaced, a name is not found yet."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

import httpx2

# No answer has begun, so for calls without lasting effect it is safe to send them again.
LOST = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout)
PATIENCE_SECONDS = 5.0

T = TypeVar("T")


async def reached(send: Callable[[], Awaitable[T]], *, patient: bool) -> T:
    """What the call gives. A patient one is sent again for some seconds when it does not arrive.

    Be patient with who has just answered; with who is known to be away, people need not wait each time.
    """
    deadline = monotonic() + (PATIENCE_SECONDS if patient else 0)
    while True:
        try:
            return await send()
        except LOST:
            if monotonic() >= deadline:
                raise
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311  not all at the same moment
