"""One LISTEN connection per process, shared by all who watch a collection.

A notification only says which document to look at; what is shown is read from the table.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import structlog

from pilothouse_core.database import connection_options
from pilothouse_core.settings import DatabaseSettings

log = structlog.get_logger()

LISTEN = "LISTEN documents"
_ALIVE_SECONDS = 30.0  # without a notification for so long, the connection is asked whether it lives
_RECONNECT_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Subscription:
    """What changed since the watcher last looked."""

    changed: set[UUID] = field(default_factory=set)
    missed: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> tuple[list[UUID], bool]:
        """The changed documents, and whether notifications may have been missed; clears both."""
        changed, missed = list(self.changed), self.missed
        self.changed.clear()
        self.missed = False
        self.wake.clear()
        return changed, missed


class EventHub:
    """Hands notifications to subscriptions. `open_hub` runs one."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._settings = settings
        self._watchers: defaultdict[UUID, set[Subscription]] = defaultdict(set)

    @contextmanager
    def subscribe(self, collection_id: UUID) -> Iterator[Subscription]:
        """A subscription to a collection's changes for as long as the context lasts."""
        subscription = Subscription()
        self._watchers[collection_id].add(subscription)
        try:
            yield subscription
        finally:
            self._watchers[collection_id].discard(subscription)
            if not self._watchers[collection_id]:
                del self._watchers[collection_id]

    async def run(self) -> None:
        """Listens for ever, through failures of the database."""
        said = ""
        while True:
            try:
                await self._listen()
            except psycopg.Error as exc:
                if str(exc) != said:
                    said = str(exc)
                    log.warning("listener_reconnects", error=said)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        options = connection_options(
            self._settings, application_name="ingest-events", search_path="documents"
        )
        connection = await psycopg.AsyncConnection.connect(
            self._settings.url.get_secret_value(), autocommit=True, **options
        )
        async with connection:
            await connection.execute(LISTEN)
            for watchers in self._watchers.values():
                for subscription in watchers:
                    subscription.missed = True
                    subscription.wake.set()
            while True:
                async for notification in connection.notifies(timeout=_ALIVE_SECONDS):
                    self._dispatch(notification.payload)
                await connection.execute("SELECT 1")

    def _dispatch(self, payload: str) -> None:
        message = json.loads(payload)
        for subscription in self._watchers.get(UUID(message["collection"]), ()):
            subscription.changed.add(UUID(message["document"]))
            subscription.wake.set()


@asynccontextmanager
async def open_hub(settings: DatabaseSettings) -> AsyncIterator[EventHub]:
    """A running hub."""
    hub = EventHub(settings)
    task = asyncio.create_task(hub.run(), name="listen documents")
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
