"""All services in this process on one database; what page and query answer can be changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from pydantic import SecretStr

from integration.chat_ui.replicas import KEY, replica, serving, settings_for
from integration.chat_ui.tampering import Tampering
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.settings import DatabaseSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.settings import IngestSettings, ParsingSettings
from pilothouse_ingest.worker import run_worker
from pilothouse_query.app import create_app as create_query
from pilothouse_query.settings import Settings as QuerySettings
from support.database import Database
from support.ingest_api import serve_api
from support.scripted_model import ScriptedModel, serve_scripted_model

AUTH = AuthSettings(mode="token", key=KEY)


@dataclass(frozen=True, slots=True)
class Product:
    """The page's address, and what stands before page and query."""

    url: str
    page: Tampering
    query: Tampering
    database: Database

    async def left_behind(self) -> tuple[int, int]:
        """How many collections and chats there are."""
        async with await psycopg.AsyncConnection.connect(self.database.admin) as conn:
            found = await conn.execute(
                "SELECT (SELECT count(*) FROM documents.collections), (SELECT count(*) FROM chat.sessions)"
            )
            row = await found.fetchone()
        assert row
        return row[0], row[1]


@asynccontextmanager
async def running_product(database: Database) -> AsyncIterator[Product]:
    """With a deterministic embedder and a scripted language model."""
    with serve_scripted_model(ScriptedModel()) as model_url:
        settings = QuerySettings.model_validate(
            {
                "database": {"url": database.url("pilothouse_query"), "pool_max": 4},
                "auth": AUTH,
                "model": {"url": model_url},
            }
        )
        query = Tampering(create_query(settings, embedder=HashEmbedder()))
        async with serving(query) as query_url, _ingesting(database) as ingest_url:
            chat = settings_for(database, query=query_url, ingest=ingest_url, token_mode=True)
            async with replica(chat) as one:
                page = Tampering(one.app)
                async with serving(page, lifespan=False) as url:
                    yield Product(url, page, query, database)


@asynccontextmanager
async def _ingesting(database: Database) -> AsyncIterator[str]:
    settings = IngestSettings(
        database=DatabaseSettings(url=SecretStr(database.url("pilothouse_ingest")), pool_max=6),
        auth=AUTH,
        parsing=ParsingSettings(processes=1),
    )
    stop = asyncio.Event()
    async with serve_api(settings) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(run_worker(settings, stop=stop, embedder=HashEmbedder()))
        try:
            yield str(client.base_url)
        finally:
            stop.set()
