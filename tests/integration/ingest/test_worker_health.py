"""What a worker says of itself, and what it does while something is missing: it waits, nothing fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import psycopg
import pytest
from pydantic import HttpUrl
from starlette.responses import Response

from integration.ingest.conftest import Worker
from pilothouse_core.database import open_pool
from pilothouse_core.settings import EmbeddingSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.jobs.depth import JOBS, measure
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings
from pilothouse_ingest.worker import run_worker
from support.database import Database
from support.embedding_server import EmbeddingServer, serve_app
from support.ingest import Ingest, eventually
from support.stack import free_port


@asynccontextmanager
async def working(
    settings: IngestSettings, *, embedding_url: str | None = None
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the worker's own port."""
    port = free_port()
    update: dict[str, object] = {"worker": settings.worker.model_copy(update={"port": port})}
    if embedding_url is not None:
        update["embedding"] = EmbeddingSettings(backend="tei", url=HttpUrl(embedding_url))
    stop = asyncio.Event()
    embedder = HashEmbedder() if embedding_url is None else None
    task = asyncio.create_task(run_worker(settings.model_copy(update=update), stop=stop, embedder=embedder))
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        stop.set()
        await task


async def missing(client: httpx2.AsyncClient) -> dict[str, str] | None:
    try:
        return dict((await client.get("/readyz")).json()["missing"])
    except httpx2.ConnectError:
        return None


async def test_a_worker_answers_probes_and_is_measured(ingest: Ingest, settings: IngestSettings) -> None:
    async with working(settings) as client:
        await eventually(lambda: missing(client), lambda found: found == {})
        assert (await client.get("/livez")).text == "ok"
        await ingest.settled(await ingest.upload(b"text"))

        async def metrics() -> str:
            return (await client.get("/metrics")).text

        await eventually(metrics, lambda text: 'pilothouse_ingest_jobs{state="queued"}' in text)


async def test_without_its_embedding_server_a_worker_waits_and_documents_stay_queued(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    port = free_port()
    async with working(settings, embedding_url=f"http://127.0.0.1:{port}") as client:
        document = await ingest.upload(b"text")
        told = await eventually(
            lambda: missing(client), lambda found: "ConnectError" in (found or {}).get("embedding", "")
        )
        assert told is not None
        assert (await client.get("/livez")).status_code == 200
        assert (await ingest.document(document))["status"] == "queued"
        async with serve_app(EmbeddingServer().app(), port=port):
            assert (await ingest.settled(document))["status"] == "indexed"
            assert await missing(client) == {}


def with_attempts(settings: IngestSettings, most: int) -> IngestSettings:
    return settings.model_copy(
        update={
            "worker": settings.worker.model_copy(
                update={"max_attempts": most, "stalled_after": timedelta(minutes=1)}
            )
        }
    )


async def test_an_embedding_server_that_goes_away_costs_no_document_however_long_it_stays_away(
    ingest: Ingest, settings: IngestSettings
) -> None:
    async def states() -> set[str]:
        return {(await ingest.document(document))["status"] for document in documents}

    server = EmbeddingServer()
    # With one attempt for each document, any time is longer than all of them last.
    async with (
        serve_app(server.app()) as url,
        working(with_attempts(settings, 1), embedding_url=url) as client,
    ):
        await ingest.settled(await ingest.upload(b"before"))
        server.instead = Response(status_code=503)
        documents = [await ingest.upload(f"text {n}".encode(), f"{n}.txt") for n in range(3)]
        told = await eventually(lambda: missing(client), bool)
        assert told is not None
        assert "status 503" in told["embedding"]
        assert await eventually(states, lambda found: found in ({"queued"}, {"failed"})) == {"queued"}
        server.instead = None
        for document in documents:
            assert (await ingest.settled(document))["status"] == "indexed"
        assert await missing(client) == {}


async def test_an_embedding_server_with_too_much_to_do_costs_no_document(
    ingest: Ingest, settings: IngestSettings
) -> None:
    server = EmbeddingServer(busy_times=2)
    async with (
        serve_app(server.app()) as url,
        working(with_attempts(settings, 1), embedding_url=url),
    ):
        assert (await ingest.settled(await ingest.upload(b"text")))["status"] == "indexed"
    assert server.busy_times == 0


async def test_a_text_that_the_embedding_server_refuses_fails_its_document_alone(
    ingest: Ingest, settings: IngestSettings
) -> None:
    async with (
        serve_app(EmbeddingServer().app()) as url,
        working(with_attempts(settings, 2), embedding_url=url) as client,
    ):
        found = await ingest.settled(await ingest.upload(b"poison"))
        assert (found["status"], found["error"]["code"]) == ("failed", "embedder_unavailable")
        assert "status 424" in found["error"]["detail"]
        assert "2 times" in found["error"]["detail"]
        assert (await ingest.settled(await ingest.upload(b"food")))["status"] == "indexed"
        assert await missing(client) == {}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (HashEmbedder(dimension=32), "vectors of 64 numbers by the model 'hash'"),
        (
            HashEmbedder(model="another"),
            "vectors of the model 'hash', and this service makes vectors of 'another'",
        ),
    ],
    ids=["another length", "another model"],
)
async def test_vectors_that_do_not_fit_the_stored_ones_damage_nothing(
    ingest: Ingest, settings: IngestSettings, worker: Worker, wrong: HashEmbedder, words: str
) -> None:
    async with worker():
        await ingest.settled(await ingest.upload(b"first"))
    server = EmbeddingServer(wrong)
    async with serve_app(server.app()) as url, working(settings, embedding_url=url) as client:
        document = await ingest.upload(b"second")
        told = await eventually(
            lambda: missing(client), lambda found: "vectors" in (found or {}).get("embedding", "")
        )
        assert told is not None
        assert words in told["embedding"]
        assert (await ingest.document(document))["status"] == "queued"
        server.embedder = HashEmbedder()
        assert (await ingest.settled(document))["status"] == "indexed"


async def test_the_gauge_counts_what_waits_and_what_is_worked_on(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    for number in range(4):
        await ingest.upload(f"text {number}".encode(), f"{number}.txt")
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("SET search_path = jobs")
        job = "(SELECT min(id) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL)"
        connection.execute(f"UPDATE procrastinate_jobs SET status = 'doing' WHERE id = {job}")
        connection.execute(f"UPDATE procrastinate_jobs SET scheduled_at = now() + '1 h' WHERE id = {job}")
    async with open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool:
        await measure(pool)
    found = {sample.labels["state"]: sample.value for metric in JOBS.collect() for sample in metric.samples}
    assert found == {"queued": 2, "waiting": 1, "running": 1}
