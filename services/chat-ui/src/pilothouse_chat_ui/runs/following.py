"""Reads a run's events from the table, on any replica, from any point on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fastapi.encoders import jsonable_encoder
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from pilothouse_chat_ui.messages import repository as messages
from pilothouse_chat_ui.messages.models import Json, Message
from pilothouse_chat_ui.messages.schemas import MessageOut
from pilothouse_chat_ui.notifications import Hub, run_topic, wait
from pilothouse_chat_ui.runs import repository
from pilothouse_chat_ui.runs.models import EventType, RunEvent
from pilothouse_chat_ui.sse import Event
from pilothouse_core.database import Pool

BATCH = 500
# A lost connection is no reason to end a stream; a database that stays away is.
MAX_FAILURES = 2
# Less than the pool waits: who follows must be given signs of life meanwhile.
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows runs for people. Holds no connection while it waits."""

    pool: Pool
    hub: Hub
    stopping: asyncio.Event
    poll: timedelta
    keepalive: timedelta

    async def follow(self, owner: str, run_id: UUID, after: int) -> AsyncIterator[Event | None]:
        """The events after `after`; None now and then in between; ends with `done` or `error`.

        It also ends, without either, when the service stops, the conversation is deleted, or the
        database stays away; the caller connects again and is then told.
        """
        sent = time.monotonic()
        pause = min(self.poll, self.keepalive).total_seconds()
        with self.hub.subscribe(run_topic(run_id)) as wake:
            failures = 0
            while not self.stopping.is_set():
                try:
                    events, over = await self._next(owner, run_id, after)
                    failures = 0
                except (OperationalError, PoolTimeout):
                    failures += 1
                    events, over = [], failures > MAX_FAILURES
                for event in events:
                    yield event
                    after, sent = int(event.id), time.monotonic()
                if over:
                    return
                if events:
                    continue
                if time.monotonic() - sent >= self.keepalive.total_seconds():
                    yield None
                    sent = time.monotonic()
                await wait(wake, pause)

    async def _next(self, owner: str, run_id: UUID, after: int) -> tuple[list[Event], bool]:
        """The next events, and whether the last of them is the end."""
        async with self.pool.connection(CONNECT_SECONDS) as conn:
            status, found = await repository.events_after(conn, owner, run_id, after, limit=BATCH)
            message: Message | None = None
            if status != "running" and (not found or found[-1].type in ("done", "error")):
                message = await messages.find(conn, owner, run_id, replaced_too=True)
        if status is None or (status != "running" and not found and message is None):
            return [], True
        if message is None:
            return [_event(event.seq, event.type, event.data) for event in _joined(found)], False
        if not found:
            # Replayed too late (events pruned), or after the end was seen: tell it all at once.
            found = _retold(message, after)
        *others, end = _joined(found)
        return [
            *(_event(event.seq, event.type, event.data) for event in others),
            _event(end.seq, end.type, {**end.data, "message": _message_json(message)}),
        ], True


def _joined(events: list[RunEvent]) -> list[RunEvent]:
    """The same events with neighbouring tokens in one; a long answer is then caught up with at once."""
    joined: list[RunEvent] = []
    for event in events:
        if event.type == "token" and joined and joined[-1].type == "token":
            text = f"{joined[-1].data['text']}{event.data['text']}"
            joined[-1] = RunEvent(event.seq, "token", {"text": text})
        else:
            joined.append(event)
    return joined


def _retold(message: Message, after: int) -> list[RunEvent]:
    """A finished answer as events."""
    sources: Json = {"run_id": str(message.id), "attempt": 1, "sources": list(message.sources)}
    end: tuple[EventType, Json] = ("error", message.error) if message.error is not None else ("done", {})
    return [
        RunEvent(after + 1, "sources", sources),
        RunEvent(after + 2, "token", {"text": message.content}),
        RunEvent(after + 3, *end),
    ]


def _message_json(message: Message) -> Json:
    body = jsonable_encoder(MessageOut.model_validate(message))
    assert isinstance(body, dict)
    return body


def _event(seq: int, kind: EventType, data: Json) -> Event:
    return Event(id=str(seq), type=kind, data=json.dumps(data, ensure_ascii=False))
