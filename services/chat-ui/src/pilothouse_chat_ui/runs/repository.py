"""SQL for runs and their events.

Every write of a worker names its lease (holder and attempt). `FOR SHARE` on the run makes
it wait for, and then see, a take-over that is on its way: two replicas never write to one
run. Owner and session are part of every statement that serves a person.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pilothouse_chat_ui.runs.models import Lease, LeaseLost, Outcome, Run, RunEvent
from pilothouse_core.database import Connection

INSERT = """
INSERT INTO runs (id, session_id, message_id, owner, groups, lease_holder, lease_until, request)
VALUES (%(id)s, %(session_id)s, %(id)s, %(owner)s, %(groups)s, %(holder)s, now() + %(length)s, %(request)s)
"""

FIND = """
SELECT id, session_id, owner, groups, attempt, stop_requested, request
FROM runs WHERE id = %(id)s AND owner = %(owner)s
"""

REQUEST_STOP = """
UPDATE runs SET stop_requested = true WHERE id = %(id)s AND owner = %(owner)s AND status = 'running'
"""

# One row when the run is there (seq is null without news), none when it was deleted.
EVENTS_AFTER = """
SELECT r.status, e.seq, e.type, e.data
FROM runs r
LEFT JOIN LATERAL (
    SELECT seq, type, data FROM run_events
    WHERE run_id = r.id AND seq > %(after)s ORDER BY seq LIMIT %(limit)s
) e ON true
WHERE r.id = %(id)s AND r.owner = %(owner)s
ORDER BY e.seq
"""

ALL_EVENTS = "SELECT seq, type, data FROM run_events WHERE run_id = %(id)s ORDER BY seq"

LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM run_events WHERE run_id = %(id)s"

HELD = """
SELECT stop_requested FROM runs
WHERE id = %(id)s AND lease_holder = %(holder)s AND attempt = %(attempt)s AND status = 'running'
FOR SHARE
"""

# A batch is sent again when it is not known whether it was stored.
APPEND = """
INSERT INTO run_events (run_id, seq, type, data) VALUES (%(id)s, %(seq)s, %(type)s, %(data)s)
ON CONFLICT (run_id, seq) DO NOTHING
"""

FINISH = """
UPDATE runs SET status = %(status)s, finished_at = now(), lease_holder = NULL, lease_until = NULL
WHERE id = %(id)s AND lease_holder = %(holder)s AND attempt = %(attempt)s AND status = 'running'
"""

BEGIN_AGAIN = """
UPDATE runs SET attempt = attempt + 1
WHERE id = %(id)s AND lease_holder = %(holder)s AND attempt = %(attempt)s AND status = 'running'
RETURNING id, session_id, owner, groups, attempt, stop_requested, request
"""

RENEW = """
UPDATE runs SET lease_until = now() + %(length)s
WHERE id = ANY(%(ids)s) AND lease_holder = %(holder)s AND status = 'running'
RETURNING id, stop_requested
"""

# An attempt counts when its replica died over it, not when it gave the run back.
CLAIM = """
UPDATE runs
SET lease_holder = %(holder)s, lease_until = now() + %(length)s,
    attempt = attempt + CASE WHEN lease_holder IS NULL THEN 0 ELSE 1 END
WHERE id IN (
    SELECT id FROM runs
    WHERE status = 'running' AND lease_until < now()
    ORDER BY lease_until
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
RETURNING id, session_id, owner, groups, attempt, stop_requested, request
"""

RELEASE = """
UPDATE runs SET lease_holder = NULL, lease_until = '-infinity'
WHERE lease_holder = %(holder)s AND status = 'running'
"""

PRUNE = """
DELETE FROM run_events e USING runs r
WHERE r.id = e.run_id AND r.status <> 'running' AND r.finished_at < now() - %(retention)s::interval
"""


async def insert(conn: Connection, run: Run, lease: Lease) -> None:
    """Adds a run, leased to the replica that begins it. Raises `UniqueViolation` when one is running."""
    await conn.execute(
        INSERT,
        {
            "id": run.id,
            "session_id": run.session_id,
            "owner": run.owner,
            "groups": run.groups,
            "holder": lease.holder,
            "length": lease.length,
            "request": Jsonb(run.request),
        },
    )


async def find(conn: Connection, owner: str, run_id: UUID) -> Run | None:
    """One run; None when it is not there or somebody else's."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(FIND, {"id": run_id, "owner": owner})
        return await cursor.fetchone()


async def request_stop(conn: Connection, owner: str, run_id: UUID) -> None:
    """Notes that the owner wants no more of it; nothing happens when the run is over."""
    await conn.execute(REQUEST_STOP, {"id": run_id, "owner": owner})


async def events_after(
    conn: Connection, owner: str, run_id: UUID, after: int, *, limit: int
) -> tuple[str | None, list[RunEvent]]:
    """The run's status (None: it is gone) and its next events."""
    cursor = await conn.execute(EVENTS_AFTER, {"id": run_id, "owner": owner, "after": after, "limit": limit})
    rows = await cursor.fetchall()
    events = [RunEvent(seq, kind, data) for _, seq, kind, data in rows if seq is not None]
    return (rows[0][0] if rows else None), events


async def all_events(conn: Connection, run_id: UUID) -> list[RunEvent]:
    """Everything that happened so far, for the replica that ends an abandoned run."""
    async with conn.cursor(row_factory=class_row(RunEvent)) as cursor:
        await cursor.execute(ALL_EVENTS, {"id": run_id})
        return await cursor.fetchall()


async def last_seq(conn: Connection, run_id: UUID) -> int:
    """The number of the last event; 0 before the first."""
    row = await (await conn.execute(LAST_SEQ, {"id": run_id})).fetchone()
    return int(row[0]) if row else 0


async def hold(conn: Connection, run: Run, lease: Lease) -> bool:
    """Keeps the lease from being lost until the transaction ends; True when a stop is wanted.

    Raises `LeaseLost`.
    """
    cursor = await conn.execute(HELD, {"id": run.id, "holder": lease.holder, "attempt": run.attempt})
    row = await cursor.fetchone()
    if row is None:
        raise LeaseLost
    return bool(row[0])


async def append(conn: Connection, run: Run, events: Sequence[RunEvent]) -> None:
    """Stores events; those that are there already stay."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            APPEND,
            [
                {"id": run.id, "seq": event.seq, "type": event.type, "data": Jsonb(event.data)}
                for event in events
            ],
        )


async def finish(conn: Connection, run: Run, lease: Lease, outcome: Outcome) -> None:
    """Ends the run. Raises `LeaseLost`."""
    cursor = await conn.execute(
        FINISH, {"id": run.id, "holder": lease.holder, "attempt": run.attempt, "status": outcome}
    )
    if cursor.rowcount == 0:
        raise LeaseLost


async def begin_again(conn: Connection, run: Run, lease: Lease) -> Run:
    """Counts another attempt of the replica that holds the lease. Raises `LeaseLost`."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(BEGIN_AGAIN, {"id": run.id, "holder": lease.holder, "attempt": run.attempt})
        found = await cursor.fetchone()
    if found is None:
        raise LeaseLost
    return found


async def renew(conn: Connection, lease: Lease, run_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Prolongs leases. Those that are still held, each with whether a stop is wanted."""
    cursor = await conn.execute(RENEW, {"ids": list(run_ids), "holder": lease.holder, "length": lease.length})
    return dict(await cursor.fetchall())


async def claim(conn: Connection, lease: Lease, *, limit: int) -> list[Run]:
    """Takes over runs whose replica gave no sign of life or gave them back."""
    async with conn.cursor(row_factory=class_row(Run)) as cursor:
        await cursor.execute(CLAIM, {"holder": lease.holder, "length": lease.length, "limit": limit})
        return await cursor.fetchall()


async def release(conn: Connection, holder: str) -> int:
    """Gives back all runs of a replica; how many there were."""
    return (await conn.execute(RELEASE, {"holder": holder})).rowcount


async def prune(conn: Connection, retention: timedelta) -> int:
    """Deletes events of runs that ended longer ago than this; how many there were."""
    return (await conn.execute(PRUNE, {"retention": retention})).rowcount
