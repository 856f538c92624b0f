"""A service to be stopped: one request that lasts until a file is there, one stream without an end."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from pilothouse_core.http import create_service, serve, stopping
from pilothouse_core.settings import ServiceSettings


@asynccontextmanager
async def nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


async def ready(_: Request) -> dict[str, str]:
    return {}


def main(gate: Path) -> None:
    settings = ServiceSettings()
    app = create_service(settings, name="stoppable", title="Stoppable", lifespan=nothing, ready=ready)

    @app.get("/slow")
    async def slow() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun "
            while not await asyncio.to_thread(gate.exists):  # noqa: ASYNC110  the test is another process
                await asyncio.sleep(0.01)
            yield b"ended"

        return StreamingResponse(pieces())

    @app.get("/endless")
    async def endless(request: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"begun "
            await stopping(request).wait()

        return StreamingResponse(pieces())

    serve(app, settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
