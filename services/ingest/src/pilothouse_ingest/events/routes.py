"""Server-sent events: what happens to the documents of a collection."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from pilothouse_core.auth import Principal
from pilothouse_core.database import Pool
from pilothouse_core.failover import RepeatingRoute
from pilothouse_core.http import stopping
from pilothouse_core.problem import PROBLEM_RESPONSES
from pilothouse_ingest.collections import service as collections
from pilothouse_ingest.collections.models import Collection
from pilothouse_ingest.dependencies import CallerDep, PoolDep, ResourcesDep
from pilothouse_ingest.documents import repository
from pilothouse_ingest.documents.models import Document
from pilothouse_ingest.documents.repository import Filter
from pilothouse_ingest.documents.schemas import to_wire

router = APIRouter(
    prefix="/v1/collections", route_class=RepeatingRoute, tags=["events"], responses=PROBLEM_RESPONSES
)

LIFE_SECONDS = 3600.0  # then the browser connects anew, and its rights are asked again
GATHER_SECONDS = 0.05  # changes within this time become one look at the table
OVERLAP = timedelta(seconds=60)  # a change becomes visible this long after its time at the most
BATCH = 500


async def watched_collection(name: str, caller: CallerDep, pool: PoolDep) -> Collection:
    """The collection to watch; asked for before the stream begins, so that a 404 can still be one."""
    async with pool.connection() as connection:
        return await collections.readable(connection, caller, name)


@router.get("/{name}/events", response_class=EventSourceResponse)
async def collection_events(
    collection: Annotated[Collection, Depends(watched_collection)],
    caller: CallerDep,
    found: ResourcesDep,
    request: Request,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """`document` (a document, at each change of status or progress) and `deleted` (`{id}`).

    Begins with the documents that are in work, or with what changed after `Last-Event-ID`.
    """
    watch = _Watch(found.pool, caller, collection)
    ends = time.monotonic() + LIFE_SECONDS
    stop = stopping(request)
    with found.hub.subscribe(collection.id) as subscription:
        for event in await watch.first(last_event_id):
            yield event
        while not stop.is_set() and time.monotonic() < ends:
            await _first_of(subscription.wake, stop, seconds=ends - time.monotonic())
            await _first_of(stop, seconds=GATHER_SECONDS)
            changed, missed = subscription.take()
            for event in await watch.look(changed, missed=missed):
                yield event


async def _first_of(*events: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*waits, return_exceptions=True)


class _Watch:
    """Reads the table for one watcher and remembers what it has shown."""

    def __init__(self, pool: Pool, principal: Principal, collection: Collection) -> None:
        self._pool = pool
        self._principal = principal
        self._collection = collection
        self._shown: dict[UUID, datetime] = {}
        self._last = datetime.now(UTC)

    async def first(self, last_event_id: str | None) -> list[ServerSentEvent]:
        since = _time_of(last_event_id)
        chosen = Filter(since=since - OVERLAP) if since else Filter(unfinished=True)
        return self._events(await self._read(chosen))

    async def look(self, ids: list[UUID], *, missed: bool) -> list[ServerSentEvent]:
        events: list[ServerSentEvent] = []
        if missed:
            events += self._events(await self._read(Filter(since=self._last - OVERLAP)))
        for at in range(0, len(ids), BATCH):
            batch = ids[at : at + BATCH]
            documents = await self._read(Filter(ids=batch))
            events += self._events(documents)
            for gone in set(batch) - {document.id for document in documents}:
                self._shown.pop(gone, None)
                events.append(ServerSentEvent(event="deleted", data={"id": str(gone)}, id=self._id()))
        return events

    async def _read(self, chosen: Filter) -> list[Document]:
        async with self._pool.connection() as connection:
            return await repository.page(
                connection, self._principal, self._collection.id, chosen, limit=10_000
            )

    def _events(self, documents: list[Document]) -> list[ServerSentEvent]:
        events = []
        for document in sorted(documents, key=lambda document: document.updated_at):
            if self._shown.get(document.id) == document.updated_at:
                continue
            self._shown[document.id] = document.updated_at
            self._last = max(self._last, document.updated_at)
            events.append(ServerSentEvent(event="document", data=to_wire(document), id=self._id()))
        while len(self._shown) > 10_000:
            del self._shown[next(iter(self._shown))]
        return events

    def _id(self) -> str:
        return str(int(self._last.timestamp() * 1_000_000))


def _time_of(event_id: str | None) -> datetime | None:
    if event_id is None or not event_id.isdecimal() or len(event_id) > 17:
        return None
    return datetime.fromtimestamp(int(event_id) / 1_000_000, UTC)
