"""The ingest API in this process, workers in this one or in processes of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.settings import DatabaseSettings, ServerSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.bulk.settings import BulkProcessSettings, BulkSettings
from pilothouse_ingest.settings import IngestSettings, ParsingSettings, WorkerSettings
from pilothouse_ingest.worker import run_worker
from support.database import Database
from support.ingest import Ingest
from support.ingest_api import open_api

KEY = SecretStr("a key of at least thirty-two bytes for tests")
Worker = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def settings(database: Database) -> IngestSettings:
    return IngestSettings(
        database=DatabaseSettings(
            url=SecretStr(database.url("pilothouse_ingest")), pool_max=6, wait=timedelta(seconds=5)
        ),
        auth=AuthSettings(key=KEY),
        server=ServerSettings(grace=timedelta(seconds=5)),
        parsing=ParsingSettings(processes=1),
        worker=WorkerSettings(
            concurrency=4,
            heartbeat=timedelta(seconds=0.3),
            stalled_after=timedelta(seconds=2),
            sweep=timedelta(seconds=0.3),
            retry_after=timedelta(seconds=0.05),
            retry_most=timedelta(seconds=0.2),
        ),
    )


@pytest.fixture
async def client(settings: IngestSettings) -> AsyncIterator[httpx2.AsyncClient]:
    async with open_api(settings) as client:
        yield client


@pytest.fixture
async def ingest(client: httpx2.AsyncClient) -> Ingest:
    """The API with one collection, `docs`."""
    found = Ingest(client)
    await found.make_collection("docs")
    return found


@pytest.fixture
def worker(settings: IngestSettings) -> Worker:
    """Starts a worker in this process for the length of a context."""

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(run_worker(settings, stop=stop, embedder=HashEmbedder()))
        try:
            yield
        finally:
            stop.set()
            await task

    return running


@pytest.fixture
def bulk(settings: IngestSettings) -> BulkProcessSettings:
    return BulkProcessSettings(
        **{name: getattr(settings, name) for name in type(settings).model_fields},
        bulk=BulkSettings(report=timedelta(seconds=0.2), patience=timedelta(seconds=30)),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "folder"
    found.mkdir()
    return found
