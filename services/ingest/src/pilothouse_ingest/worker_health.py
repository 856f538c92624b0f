"""Whether a worker can work, and the small HTTP server that says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from psycopg import Error

from pilothouse_core.database import Pool
from pilothouse_core.embedding import Embedder, SpaceError
from pilothouse_core.http import create_service, serving_beside
from pilothouse_core.readiness import database_fault
from pilothouse_ingest.indexing import store
from pilothouse_ingest.settings import IngestSettings


class WorkerHealth:
    """Looks at what a worker needs. While something is missing it takes no documents: they stay queued."""

    def __init__(self, pool: Pool, embedder: Embedder, settings: IngestSettings) -> None:
        self._pool = pool
        self._embedder = embedder
        self._settings = settings

    async def faults(self) -> dict[str, str]:
        """Part → what is wrong with it; empty when the worker can work."""
        if fault := await database_fault(self._pool, self._settings.database):
            return {"database": fault}
        if fault := self._embedder.fault or self._embedder.away:
            return {"embedding": fault}
        try:
            async with self._pool.connection() as connection:
                await store.check_space(connection, self._embedder.model, self._embedder.dimension)
        except SpaceError as exc:
            return {"embedding": str(exc)}
        except Error as exc:
            return {"database": f"It cannot be used: {exc}"}
        return {}


@asynccontextmanager
async def telling(health: WorkerHealth, settings: IngestSettings) -> AsyncIterator[None]:
    """Answers /livez, /readyz and /metrics on PILOTHOUSE_WORKER_PORT, if there is one."""
    if settings.worker.port is None:
        yield
        return

    async def ready(_: Request) -> dict[str, str]:
        return await health.faults()

    @asynccontextmanager
    async def nothing(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_service(
        settings, name="ingest-worker", title="Pilothouse ingest worker", lifespan=nothing, ready=ready
    )
    async with serving_beside(app, settings, port=settings.worker.port):
        yield
