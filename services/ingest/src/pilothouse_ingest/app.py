"""The ingest API. The worker (`worker.py`) is the other entry point of this package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from pilothouse_core.auth import Authenticator
from pilothouse_core.database import open_pool
from pilothouse_core.http import create_service
from pilothouse_core.readiness import database_fault
from pilothouse_ingest.collections.routes import router as collections_router
from pilothouse_ingest.dependencies import Resources, resources
from pilothouse_ingest.documents.routes import router as documents_router
from pilothouse_ingest.events.hub import open_hub
from pilothouse_ingest.events.routes import router as events_router
from pilothouse_ingest.jobs.depth import measuring
from pilothouse_ingest.jobs.queue import IndexQueue
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings

UPLOAD_PATHS = r"/v1/collections/[^/]+/documents"


def create_app(settings: IngestSettings) -> FastAPI:
    """The API over the database that the settings name."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_pool(settings.database, application_name="ingest-api", search_path=SEARCH_PATH) as pool,
            open_hub(settings.database) as hub,
            measuring(pool),
        ):
            queue = IndexQueue()
            await queue.open(pool)
            app.state.resources = Resources(
                settings=settings,
                authenticator=Authenticator(settings.auth),
                pool=pool,
                queue=queue,
                hub=hub,
            )
            yield

    app = create_service(
        settings,
        name="ingest",
        title="Pilothouse ingest",
        description="Collections of documents: upload, watch, read and delete them.",
        lifespan=lifespan,
        ready=_missing,
        streamed=UPLOAD_PATHS,
    )
    app.include_router(collections_router)
    app.include_router(documents_router)
    app.include_router(events_router)
    return app


async def _missing(request: Request) -> dict[str, str]:
    """What keeps the API from serving."""
    found = resources(request)
    fault = await database_fault(found.pool, found.settings.database)
    return {"database": fault} if fault else {}
