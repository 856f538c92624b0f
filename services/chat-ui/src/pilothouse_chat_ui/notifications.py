"""Wake-up calls between replicas: one LISTEN connection per replica, fanned out in memory.

A notification carries a topic and nothing else. It only wakes: whoever is woken reads the
truth from the tables, and looks there now and then even when nothing woke it, so a lost
notification costs time, never content.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

import psycopg
import structlog

from pilothouse_core.database import Connection, connection_options
from pilothouse_core.settings import DatabaseSettings

log = structlog.get_logger()

CHANNEL = "pilothouse_chat"
RETRY_SECONDS = 1.0
# A connection that broke without a word (lost route, failed-over node) is noticed by asking.
PROBE_SECONDS = 20.0

NOTIFY = "SELECT pg_notify(%(channel)s, topic) FROM unnest(%(topics)s::text[]) AS topic"


def run_topic(run_id: UUID) -> str:
    """Something happened in this run."""
    return f"run {run_id}"


def stop_topic(run_id: UUID) -> str:
    """This run is asked to stop."""
    return f"stop {run_id}"


def owner_topic(owner: str) -> str:
    """One of this person's sessions changed. Hashed: payloads have a length limit."""
    return f"owner {hashlib.sha256(owner.encode()).hexdigest()[:32]}"


REAP_TOPIC = "reap"
"""Runs were given back; whoever has room may take them."""


async def notify(conn: Connection, *topics: str) -> None:
    """Wakes the subscribers of these topics on every replica when the transaction commits."""
    await conn.execute(NOTIFY, {"channel": CHANNEL, "topics": list(topics)})


class Hub:
    """Who waits for what on this replica."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the topic is named; the subscriber clears it."""
        wake = asyncio.Event()
        waiting = self._waiting.setdefault(topic, set())
        waiting.add(wake)
        try:
            yield wake
        finally:
            waiting.discard(wake)
            if not waiting and self._waiting.get(topic) is waiting:
                del self._waiting[topic]

    def wake(self, topic: str) -> None:
        """Wakes the subscribers of one topic."""
        for wake in self._waiting.get(topic, ()):
            wake.set()

    def wake_all(self) -> None:
        """Wakes everybody: notifications may have been missed, or the service stops."""
        for waiting in self._waiting.values():
            for wake in waiting:
                wake.set()


@asynccontextmanager
async def listening(hub: Hub, settings: DatabaseSettings) -> AsyncIterator[None]:
    """Feeds the hub from PostgreSQL while the context is open, reconnecting for ever."""
    task = asyncio.create_task(_listen(hub, settings), name="listen")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _listen(hub: Hub, settings: DatabaseSettings) -> None:
    options = connection_options(settings, application_name="chat-ui-listen", search_path="chat,public")
    said = ""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                settings.url.get_secret_value(), autocommit=True, **options
            ) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                said = ""
                hub.wake_all()
                while True:
                    async for notification in connection.notifies(timeout=PROBE_SECONDS):
                        hub.wake(notification.payload)
                    await connection.execute("SELECT 1")
        except psycopg.Error as exc:
            if str(exc) != said:
                said = str(exc)
                log.warning("listen_lost", error=said.strip())
            await asyncio.sleep(RETRY_SECONDS)


async def wait(wake: asyncio.Event, seconds: float) -> bool:
    """Waits until woken or until the time is over; clears the event; True when woken."""
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return False
    wake.clear()
    return True
