"""How many documents wait and are worked on, for dashboards and for what adds workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge
from psycopg import Error

from pilothouse_core.database import Pool

JOBS = Gauge(
    "pilothouse_ingest_jobs",
    "Documents in the queue: `queued` may begin, `waiting` for another attempt, `running`.",
    ["state"],
)
STATES = ("queued", "waiting", "running")
MEASURE_SECONDS = 5.0

# Jobs that are done are deleted, so the table is as long as the queue.
COUNT = """
SELECT CASE WHEN status = 'doing' THEN 'running' WHEN scheduled_at > now() THEN 'waiting' ELSE 'queued' END,
       count(*)
FROM procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY 1
"""


async def measure(pool: Pool) -> None:
    """Sets the gauge; without a database it shows nothing rather than something old."""
    try:
        async with pool.connection() as connection:
            found: dict[str, int] = dict(await (await connection.execute(COUNT)).fetchall())
    except Error:
        JOBS.clear()
        return
    for state in STATES:
        JOBS.labels(state).set(found.get(state, 0))


@asynccontextmanager
async def measuring(pool: Pool) -> AsyncIterator[None]:
    """Keeps the gauge up to date while the context is open."""

    async def forever() -> None:
        while True:
            await measure(pool)
            await asyncio.sleep(MEASURE_SECONDS)

    task = asyncio.create_task(forever(), name="measure queue")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
