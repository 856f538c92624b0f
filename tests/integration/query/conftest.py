"""The query service on a real database, with a deterministic embedder and a scripted model."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import pytest
import uvicorn

from pilothouse_core.testing import HashEmbedder
from pilothouse_query.app import create_app
from pilothouse_query.settings import Settings
from support.database import Database
from support.scripted_model import ScriptedModel, serve_scripted_model

Client = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


@pytest.fixture
def model() -> ScriptedModel:
    """What the language model's server does and remembers."""
    return ScriptedModel()


@pytest.fixture
def model_url(model: ScriptedModel) -> Iterator[str]:
    with serve_scripted_model(model) as url:
        yield url


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


@asynccontextmanager
async def running_query(settings: Settings, embedder: HashEmbedder | None) -> AsyncIterator[str]:
    """The service behind a real socket, so that a client can really go away; gives its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    app = create_app(settings, embedder=embedder)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx2.AsyncClient(base_url=address) as client:
            # Connections wait in the listener's queue until the service has started.
            (await client.get("/livez")).raise_for_status()
        yield address
    finally:
        server.should_exit = True
        await task
        listener.close()


@pytest.fixture
def settings(database: Database) -> Callable[..., Settings]:
    """Settings of a service on the test's database; groups by keyword."""

    def make(**groups: dict[str, object]) -> Settings:
        url = {"url": database.url("pilothouse_query"), "pool_min": 1, "pool_max": 4}
        return Settings.model_validate({"database": url, **groups})

    return make


@pytest.fixture
def query(settings: Callable[..., Settings], embedder: HashEmbedder) -> Client:
    """Opens a client of a service with these settings: `async with query(search={...}) as client`."""

    @asynccontextmanager
    async def opened(**groups: dict[str, object]) -> AsyncIterator[httpx2.AsyncClient]:
        async with (
            running_query(settings(**groups), embedder) as address,
            httpx2.AsyncClient(base_url=address, timeout=20) as client,
        ):
            yield client

    return opened
