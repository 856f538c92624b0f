"""Watches a person's sessions: compares what is there now with what was there before.

Looking at the newest sessions as they are needs no log of changes, and finds deletions too.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel

from pilothouse_chat_ui.notifications import Hub, owner_topic, wait
from pilothouse_chat_ui.sessions import repository
from pilothouse_chat_ui.sessions.models import Session
from pilothouse_chat_ui.sse import Event
from pilothouse_core.database import Pool

# Changes that come in one burst (question stored, title made, run begun) are told together.
SETTLE_SECONDS = 0.1
# A lost connection is no reason to end a stream; a database that stays away is.
MAX_FAILURES = 2
# Less than the pool waits: who follows must be given signs of life meanwhile.
CONNECT_SECONDS = 10.0


class SessionEvent(BaseModel):
    """Event `session`: one of your conversations changed; read it again if it is shown."""

    id: UUID
    updated_at: datetime
    active_run_id: UUID | None
    deleted: bool


@dataclass(frozen=True, slots=True)
class Watcher:
    """Watches on behalf of people. Holds no connection while it waits."""

    pool: Pool
    hub: Hub
    stopping: asyncio.Event
    poll: timedelta
    keepalive: timedelta
    max_life: timedelta
    window: int

    async def watch(
        self, owner: str, known: dict[UUID, Session], since: int | None
    ) -> AsyncIterator[Event | None]:
        """Changes since `known` was read, or since `since` (microseconds, the id of an earlier event).

        It ends after a while, when the service stops, and when the database is away for longer.
        """
        ends = time.monotonic() + self.max_life.total_seconds()
        sent = time.monotonic()
        pause = min(self.poll, self.keepalive).total_seconds()
        with self.hub.subscribe(owner_topic(owner)) as wake:
            for session in missed(known, since):
                yield _event(session)
            failures = 0
            while not self.stopping.is_set() and time.monotonic() < ends:
                try:
                    current = await self.snapshot(owner, seconds=CONNECT_SECONDS)
                    failures = 0
                except (OperationalError, PoolTimeout):
                    failures += 1
                    if failures > MAX_FAILURES:
                        return
                    current = known
                for event in changes(known, current, full=len(current) >= self.window):
                    yield event
                    sent = time.monotonic()
                known = current
                if time.monotonic() - sent >= self.keepalive.total_seconds():
                    yield None
                    sent = time.monotonic()
                if await wait(wake, pause):
                    await asyncio.sleep(SETTLE_SECONDS)

    async def snapshot(self, owner: str, *, seconds: float | None = None) -> dict[UUID, Session]:
        """The newest sessions as they are now, newest first; waits `seconds` at most for a connection."""
        async with self.pool.connection(seconds) as conn:
            found = await repository.newest(conn, owner, limit=self.window)
        return {session.id: session for session in found}


def missed(known: dict[UUID, Session], since: int | None) -> list[Session]:
    """The sessions that changed after this moment (microseconds), oldest first."""
    if since is None:
        return []
    return [session for session in reversed(known.values()) if _microseconds(session.updated_at) > since]


def changes(before: dict[UUID, Session], now: dict[UUID, Session], *, full: bool) -> list[Event]:
    """What differs. Sessions that only slid out of a full window are not deleted."""
    changed = [_event(session) for key, session in reversed(now.items()) if before.get(key) != session]
    oldest = min((session.updated_at for session in now.values()), default=None)
    deleted = [
        _event(session, deleted=True)
        for key, session in before.items()
        if key not in now and (not full or oldest is None or session.updated_at > oldest)
    ]
    return [*changed, *deleted]


def _event(session: Session, *, deleted: bool = False) -> Event:
    body = SessionEvent(
        id=session.id,
        updated_at=session.updated_at,
        active_run_id=None if deleted else session.active_run_id,
        deleted=deleted,
    )
    return Event(id=str(_microseconds(session.updated_at)), type="session", data=body.model_dump_json())


def _microseconds(time_: datetime) -> int:
    return round(time_.timestamp() * 1_000_000)
