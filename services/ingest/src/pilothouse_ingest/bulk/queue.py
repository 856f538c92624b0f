"""The queue as the bulk ingest fills it."""

from uuid import UUID

from pilothouse_core.database import Connection
from pilothouse_ingest.jobs.queue import QUEUE, TASK, IndexQueue

_BEHIND = -100  # below every priority that uploads have


class BulkQueue(IndexQueue):
    """Puts documents behind those that somebody waits for."""

    async def defer(
        self,
        connection: Connection,
        document_id: UUID,
        revision: int,
        *,
        size: int = 0,  # noqa: ARG002  behind the others, a large one waits for nobody
    ) -> None:
        """Adds a job as part of the connection's transaction."""
        job = self.app.configure_task(TASK, queue=QUEUE, priority=_BEHIND, connection=connection)
        await job.defer_async(document_id=str(document_id), revision=revision)
