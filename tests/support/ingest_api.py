"""The ingest API inside the test's process: behind a transport, or on a real port for streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn

from pilothouse_ingest.app import create_app
from pilothouse_ingest.settings import IngestSettings


@asynccontextmanager
async def open_api(settings: IngestSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API, without a socket."""
    app = create_app(settings)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


@asynccontextmanager
async def serve_api(settings: IngestSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the API on a port of its own, for answers that have no end."""
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        app.state.stopping.set()
        server.should_exit = True
        await task
