"""Work that is given up when the one who asked for it has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

# nginx's status for a client that closed the connection; only the access log sees it.
CLIENT_GONE = 499

ResultT = TypeVar("ResultT")


async def while_connected(request: Request, answer: Coroutine[Any, Any, ResultT]) -> ResultT | None:
    """The answer, or None when the client went away first; the work is stopped then."""
    work = asyncio.ensure_future(answer)
    # The body has been read, so the next message can only be the disconnect.
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else None
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
