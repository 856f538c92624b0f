"""Finds work that nobody does: jobs of dead workers, and documents without a job."""

from datetime import UTC, datetime
from uuid import UUID

import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from psycopg.errors import RaiseException
from psycopg.rows import scalar_row

from pilothouse_core.database import Connection, Pool
from pilothouse_ingest.indexing import store
from pilothouse_ingest.jobs.queue import QUEUE, TASK, IndexQueue
from pilothouse_ingest.jobs.retry import died_in_words, is_last_attempt
from pilothouse_ingest.settings import WorkerSettings

log = structlog.get_logger()

# One sweeper at a time: a job given back twice could be taken from who has just begun it.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('pilothouse.ingest.sweep'))"

# A document and its job are committed together, so one without a job is a fault of somebody's
# hand or of a restored backup; it must end all the same.
ORPHANS = """
SELECT d.id, d.revision FROM documents d
WHERE d.status IN ('queued', 'parsing', 'embedding')
  AND NOT EXISTS (
      SELECT FROM procrastinate_jobs j
      WHERE j.status IN ('todo', 'doing') AND j.task_name = %(task)s
        AND j.args ->> 'document_id' = d.id::text
        AND (j.args ->> 'revision')::integer = d.revision
  )
LIMIT 10000
"""


async def sweep(pool: Pool, queue: IndexQueue, settings: WorkerSettings) -> None:
    """One round. Safe to run in any number of workers."""
    async with pool.connection() as connection:
        if not await _locked(connection):
            return
        silence = settings.stalled_after.total_seconds()
        for job in await queue.manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=silence):
            await _recover(pool, queue, job, settings)
        cursor = await connection.execute(ORPHANS, {"task": TASK})
        for document_id, revision in await cursor.fetchall():
            log.warning("document_without_job", document_id=str(document_id))
            await queue.defer(connection, document_id, revision)


async def _locked(connection: Connection) -> bool:
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(LOCK)
        return bool(await cursor.fetchone())


async def _recover(pool: Pool, queue: IndexQueue, job: Job, settings: WorkerSettings) -> None:
    assert job.id is not None
    document_id = UUID(str(job.task_kwargs["document_id"]))
    log.warning("job_of_dead_worker", document_id=str(document_id), attempts=job.attempts + 1)
    try:
        if not is_last_attempt(job, settings):
            await queue.app.job_manager.retry_job_by_id_async(job_id=job.id, retry_at=datetime.now(UTC))
            return
        code, detail = died_in_words(job.attempts + 1)
        async with pool.connection() as connection:
            await store.fail(connection, document_id, int(str(job.task_kwargs["revision"])), code, detail)
            await queue.complete(connection, job.id)
    except (ConnectorException, RaiseException):
        # Its worker was slow, not dead, and has just finished it.
        log.info("job_finished_meanwhile", document_id=str(document_id))
