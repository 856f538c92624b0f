"""Work that is done again when its database connection breaks.

A failover takes some seconds. Who asks meanwhile waits for a new connection, as the pool lets
them; who was in the middle begins again, where that can do no harm. So people see an error only
when there is no primary for longer than the pool waits.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

import structlog
from fastapi import Request, Response
from fastapi.routing import APIRoute
from psycopg import OperationalError
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from pilothouse_core.database import GOING_STATES, NotPrimaryError
from pilothouse_core.problem import Problem

log = structlog.get_logger()

# A little longer than a failover takes.
REPEAT_SECONDS = 30.0
# Serialization failure and deadlock: the loser of two is asked to try again.
CONFLICT_STATES = {"40001", "40P01"}
# A second DELETE finds nothing; all others of these do the same again.
REPEATABLE_METHODS = {"GET", "HEAD", "PUT", "PATCH", "DELETE"}

T = TypeVar("T")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def is_lost(exc: OperationalError) -> bool:
    """Whether a new connection may do better."""
    if isinstance(exc, PoolTimeout | PoolClosed | TooManyRequests):
        return False
    if isinstance(exc, NotPrimaryError) or exc.sqlstate is None:
        return True
    return exc.sqlstate in GOING_STATES | CONFLICT_STATES or exc.sqlstate.startswith("08")


async def repeated(action: Callable[[], Awaitable[T]]) -> T:
    """What the action gives, done again while its connection is lost.

    A commit whose answer did not arrive may have happened, so the action must bear being done twice.
    """
    deadline = monotonic() + REPEAT_SECONDS
    while True:
        try:
            return await action()
        except OperationalError as exc:
            if not is_lost(exc) or monotonic() >= deadline:
                raise
            log.info("database_connection_lost", error=str(exc).strip())
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311  not all at the same moment


def repeatable(endpoint: Endpoint) -> Endpoint:
    """Marks a POST that may be done twice: it only reads, or the second time changes nothing."""
    endpoint.__dict__["repeatable"] = True
    return endpoint


class RepeatingRoute(APIRoute):
    """A route whose requests are done again while the database connection is lost."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        if not (set(self.methods or ()) <= REPEATABLE_METHODS or getattr(self.endpoint, "repeatable", False)):
            return handle

        async def handle_repeatedly(request: Request) -> Response:
            attempts = 0

            async def attempt() -> Response:
                nonlocal attempts
                attempts += 1
                try:
                    return await handle(request)
                except Problem as exc:
                    if attempts > 1 and request.method == "DELETE" and exc.status == 404:
                        # The first attempt has deleted it; only its answer was lost.
                        return Response(status_code=204)
                    raise

            return await repeated(attempt)

        return handle_repeatedly
