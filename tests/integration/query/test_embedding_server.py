"""The query service while its embedding server is away, comes late, or serves another model."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import psycopg
import pytest
from starlette.responses import HTMLResponse

from integration.query.conftest import running_query
from pilothouse_core.testing import HashEmbedder
from pilothouse_query.settings import Settings
from support.corpus import Document, add_collection
from support.database import Database
from support.embedding_server import EmbeddingServer, serve_app
from support.ingest import eventually
from support.stack import free_port

HANDBOOK = [
    Document("Backups", ["The backup runs every night at 2:30.", "Backup copies are kept for 30 days."])
]
Configured = Callable[..., Settings]


@asynccontextmanager
async def asking(settings: Configured, url: str) -> AsyncIterator[httpx2.AsyncClient]:
    configured = settings(embedding={"backend": "tei", "url": url, "key": "secret-of-the-server"})
    async with (
        running_query(configured, None) as address,
        httpx2.AsyncClient(base_url=address, timeout=20) as client,
    ):
        yield client


async def missing(client: httpx2.AsyncClient) -> dict[str, str]:
    response = await client.get("/readyz")
    assert (response.status_code == 503) == bool(response.json()["missing"])
    return dict(response.json()["missing"])


async def search(client: httpx2.AsyncClient, **more: Any) -> httpx2.Response:
    return await client.post("/v1/search", json={"query": "backup copies", **more})


@pytest.fixture
async def handbook(database: Database, embedder: HashEmbedder) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)


async def test_it_starts_without_the_server_and_heals_when_that_comes(
    handbook: None, settings: Configured
) -> None:
    port = free_port()
    async with asking(settings, f"http://127.0.0.1:{port}") as client:

        async def fault() -> str:
            return (await missing(client)).get("embedding", "")

        assert "ConnectError" in await eventually(fault, lambda found: "ConnectError" in found)
        refused = await search(client)
        assert (refused.status_code, refused.json()["code"]) == (503, "embedding_unavailable")
        assert refused.headers["retry-after"]
        assert (await search(client, mode="lexical")).json()["results"]
        server = EmbeddingServer()
        async with serve_app(server.app(), port=port):
            await eventually(fault, lambda found: not found)
            assert (await search(client)).json()["results"]
    assert set(server.keys) == {"Bearer secret-of-the-server"}


async def test_a_page_instead_of_vectors_is_said_plainly(handbook: None, settings: Configured) -> None:
    server = EmbeddingServer(instead=HTMLResponse("<h1>Welcome</h1>"))
    async with serve_app(server.app()) as url, asking(settings, url) as client:

        async def fault() -> str:
            return (await missing(client)).get("embedding", "")

        words = await eventually(fault, lambda found: "sent" in found)
    assert "did not answer as expected: it sent a web page. Check PILOTHOUSE_EMBEDDING_URL" in words


async def test_another_model_under_the_same_name_is_refused_and_nothing_is_damaged(
    handbook: None, settings: Configured, database: Database
) -> None:
    with psycopg.connect(database.admin) as connection:
        before = connection.execute("SELECT * FROM documents.embedding_spaces").fetchall()
    server = EmbeddingServer(HashEmbedder(dimension=32))
    async with serve_app(server.app()) as url, asking(settings, url) as client:

        async def fault() -> str:
            return (await missing(client)).get("embedding", "")

        words = await eventually(fault, lambda found: "64" in found)
        refused = await search(client)
        by_words = await search(client, mode="lexical")
        # The right one comes back, without a restart here.
        server.embedder = HashEmbedder()
        healed = await eventually(lambda: search(client), lambda response: response.status_code == 200)
        assert not await missing(client)
    assert "vectors of 64 numbers by the model 'hash'" in words
    assert (refused.status_code, refused.json()["code"]) == (503, "embedding_dimension_differs")
    assert by_words.json()["results"]
    assert healed.json()["results"]
    with psycopg.connect(database.admin) as connection:
        assert connection.execute("SELECT * FROM documents.embedding_spaces").fetchall() == before


async def test_a_second_model_beside_the_documents_answers_nothing_in_silence(
    handbook: None, settings: Configured, database: Database
) -> None:
    """One document with its vectors must not make it look as if the others were not there."""
    other = HashEmbedder(model="another")
    await add_collection(database.url("pilothouse_ingest"), "new", HANDBOOK, other)
    async with (
        running_query(settings(), other) as address,
        httpx2.AsyncClient(base_url=address, timeout=20) as client,
    ):
        refused = await search(client)
        assert "vectors of the model 'hash'" in (await missing(client))["embedding"]
    assert (refused.status_code, refused.json()["code"]) == (503, "embedding_space_missing")


async def test_a_database_of_a_newer_release_is_a_reason_not_to_be_ready(
    settings: Configured, database: Database
) -> None:
    with psycopg.connect(database.admin) as connection:
        connection.execute("INSERT INTO public.pilothouse_migrations VALUES ('0099_new', 'contract')")
    async with (
        running_query(settings(), HashEmbedder()) as address,
        httpx2.AsyncClient(base_url=address) as client,
    ):
        assert "migrated by a newer Pilothouse" in (await missing(client))["database"]


async def test_a_database_that_was_never_migrated_is_no_crash(
    settings: Configured, database: Database
) -> None:
    with psycopg.connect(database.admin) as connection:
        connection.execute("DROP SCHEMA documents CASCADE")
        connection.execute("DROP TABLE public.pilothouse_migrations")
    async with (
        running_query(settings(), HashEmbedder()) as address,
        httpx2.AsyncClient(base_url=address) as client,
    ):
        assert "Run pilothouse-migrate" in (await missing(client))["database"]
        refused = await search(client)
    assert (refused.status_code, refused.json()["code"]) == (503, "database_not_migrated")
