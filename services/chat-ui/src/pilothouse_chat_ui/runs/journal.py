"""What a worker writes down about its run, under its lease."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from pilothouse_chat_ui.history.tokens import search_tokens
from pilothouse_chat_ui.messages import repository as messages
from pilothouse_chat_ui.messages.models import Json, Message
from pilothouse_chat_ui.notifications import notify, owner_topic, run_topic
from pilothouse_chat_ui.runs import repository
from pilothouse_chat_ui.runs.answer import Answer
from pilothouse_chat_ui.runs.models import EventType, Lease, LeaseLost, Outcome, Run, RunEvent
from pilothouse_chat_ui.sessions import repository as sessions
from pilothouse_core.database import Connection, Pool

log = structlog.get_logger()

Result = TypeVar("Result")
RETRY_SECONDS = 0.5


class Journal:
    """Writes a run's events and its end. All methods raise `LeaseLost`.

    While the database is away, a write is tried again for as long as the lease would last;
    then another replica may have the run, so it is given up here.
    """

    def __init__(self, pool: Pool, run: Run, lease: Lease, *, last_seq: int) -> None:
        self._pool = pool
        self._run = run
        self._lease = lease
        self._seq = last_seq

    async def append(self, steps: Sequence[tuple[EventType, Json]]) -> bool:
        """Stores steps as events and wakes the subscribers; True when a stop is wanted."""
        events = self._numbered(steps)

        async def write(conn: Connection) -> bool:
            stop = await repository.hold(conn, self._run, self._lease)
            await repository.append(conn, self._run, events)
            await notify(conn, run_topic(self._run.id))
            return stop

        return await self._write(write)

    async def stop_requested(self) -> bool:
        """Whether the owner wants no more of it."""

        async def read(conn: Connection) -> bool:
            return await repository.hold(conn, self._run, self._lease)

        return await self._write(read)

    async def begin_again(self) -> Run:
        """Counts another attempt, still under this lease; the run as it is then."""

        async def write(conn: Connection) -> Run:
            return await repository.begin_again(conn, self._run, self._lease)

        self._run = await self._write(write)
        return self._run

    async def finish(self, answer: Answer, outcome: Outcome, error: Json | None, begins_as: Message) -> None:
        """Stores the message, the last events and the end of the run, all or nothing."""
        answer.close()
        last: tuple[EventType, Json] = ("error", error) if error is not None else ("done", {})
        events = self._numbered([*answer.take(), last])
        message = replace(
            begins_as,
            content=answer.text,
            status=outcome,
            model=answer.model,
            sources=answer.sources,
            citations=answer.citations,
            grounding=answer.grounding,
            error=error,
        )
        tokens = await search_tokens(answer.text)

        async def write(conn: Connection) -> None:
            # The session first: whoever deletes it locks in this order too.
            await sessions.touch(conn, self._run.owner, self._run.session_id)
            await repository.finish(conn, self._run, self._lease, outcome)
            await messages.finish(conn, message, search_tokens=tokens)
            await repository.append(conn, self._run, events)
            await notify(conn, run_topic(self._run.id), owner_topic(self._run.owner))

        await self._write(write)

    def _numbered(self, steps: Sequence[tuple[EventType, Json]]) -> list[RunEvent]:
        events = [RunEvent(self._seq + n, kind, data) for n, (kind, data) in enumerate(steps, start=1)]
        self._seq += len(events)
        return events

    async def _write(self, action: Callable[[Connection], Awaitable[Result]]) -> Result:
        try:
            async with asyncio.timeout(self._lease.length.total_seconds()):
                while True:
                    try:
                        async with self._pool.connection() as conn, conn.transaction():
                            return await action(conn)
                    except (OperationalError, PoolTimeout) as exc:
                        log.warning("run_write_failed", run_id=str(self._run.id), error=str(exc).strip())
                        await asyncio.sleep(RETRY_SECONDS)
        except TimeoutError as exc:
            raise LeaseLost from exc
