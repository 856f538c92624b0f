"""The queue of documents to index: procrastinate jobs in the database of the documents.

A job is put in by the transaction that accepts the document, and taken out by the one that
makes its chunks searchable or marks it failed (see `complete`). So a job that is there is
work that is not done, whatever died in between.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from pilothouse_core.database import Connection, Pool

log = structlog.get_logger()

QUEUE = "ingest"
TASK = "index_document"

# `true`: the row is deleted; what became of the document is in the document's row.
COMPLETE = "SELECT procrastinate_finish_job_v1(%(job_id)s, 'succeeded', true)"

_PERSIST_TRIES = 6


class IndexQueue:
    """Puts documents into the queue. `open` it once, on the pool of the documents.

    Its worker takes none out while they are `held`.
    """

    def __init__(self, *, held: Callable[[], bool] = lambda: False) -> None:
        connector = PsycopgConnector()
        self.app = App(connector=connector)
        self.manager = IndexJobManager(connector, held)
        self.app.job_manager = self.manager

    async def open(self, pool: Pool) -> None:
        """Uses this pool, whose search path must contain the schema `jobs`."""
        await self.app.connector.open_async(pool)

    async def defer(self, connection: Connection, document_id: UUID, revision: int, *, size: int = 0) -> None:
        """Adds a job as part of the connection's transaction. `size` is in bytes."""
        job = self.app.configure_task(TASK, queue=QUEUE, priority=self.priority(size), connection=connection)
        try:
            await job.defer_async(document_id=str(document_id), revision=revision)
        except ConnectorException as exc:
            # The transaction is ours, and so is what becomes of it.
            raise exc.__cause__ or exc from exc

    def priority(self, size: int) -> int:
        """Of a document of this many bytes: small files go first."""
        return -int(math.log10(max(size, 2**20) / 2**20) * 2)

    async def complete(self, connection: Connection, job_id: int) -> None:
        """Takes a job out as part of the connection's transaction. Call `completed` after its commit."""
        await connection.execute(COMPLETE, {"job_id": job_id})


class IndexJobManager(JobManager):
    """procrastinate's manager, but for jobs that their own transaction has taken out already.

    The state of a job that ended otherwise is written even if the database is away for a
    moment: a job left as `doing` under a living worker would be found by nobody.
    """

    def __init__(self, connector: PsycopgConnector, held: Callable[[], bool]) -> None:
        super().__init__(connector)
        self._held = held
        self._completed: set[int] = set()
        self.lost_job = asyncio.Event()

    async def fetch_job(self, *args: Any, **options: Any) -> Job | None:
        """As in procrastinate, and none while they are held."""
        return None if self._held() else await super().fetch_job(*args, **options)

    def completed(self, job_id: int) -> None:
        """The job's row went with its own transaction; there is nothing left to write."""
        self._completed.add(job_id)

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """As in procrastinate, at most once per job."""
        if job.id in self._completed:
            self._completed.discard(job.id)
            return
        await self._persist(super().finish_job, job=job, status=status, delete_job=delete_job)

    async def retry_job(self, job: Job, *args: Any, **options: Any) -> None:
        """As in procrastinate."""
        await self._persist(super().retry_job, job, *args, **options)

    async def _persist(self, write: Any, *args: Any, **options: Any) -> None:
        for attempt in range(_PERSIST_TRIES):
            try:
                await write(*args, **options)
            except ConnectorException as exc:
                log.warning("job_state_not_written", attempt=attempt, error=str(exc.__cause__ or exc))
                await asyncio.sleep(0.2 * 2**attempt)
            else:
                return
        # The worker registers anew, and the sweep finds what it held under its old number.
        self.lost_job.set()
