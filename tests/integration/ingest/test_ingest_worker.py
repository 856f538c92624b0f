"""Workers as processes of their own: killed, told to stop, cut off from the database."""

import asyncio
import operator
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest

from pilothouse_ingest.settings import IngestSettings
from support.database import Database
from support.ingest import Ingest, eventually

HERE = Path(__file__).parent


@asynccontextmanager
async def worker_process(
    settings: IngestSettings, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, killed at the latest with the context."""
    worker = settings.worker
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "hash_worker.py"),
        env={
            **os.environ,
            "PILOTHOUSE_DATABASE_URL": settings.database.url.get_secret_value(),
            "PILOTHOUSE_LOG_LEVEL": "WARNING",
            "PILOTHOUSE_WORKER_CONCURRENCY": str(worker.concurrency),
            "PILOTHOUSE_WORKER_HEARTBEAT": iso(worker.heartbeat),
            "PILOTHOUSE_WORKER_STALLED_AFTER": iso(worker.stalled_after),
            "PILOTHOUSE_WORKER_SWEEP": iso(worker.sweep),
            "PILOTHOUSE_SERVER_GRACE": iso(settings.server.grace),
            **environment,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def iso(duration: timedelta) -> str:
    """A duration as settings read it."""
    return f"PT{duration.total_seconds()}S"


def long_text(number: int) -> bytes:
    """Some tens of chunks, so that the work has a middle."""
    return f"# Report {number}\n\n".encode() + b"".join(
        f"Sentence {number}-{line} of a long report about many different things.\n\n".encode()
        for line in range(300)
    )


def assert_whole(database: Database, documents: int) -> None:
    """Every document has all of its chunks once, with vectors, and no job is left."""
    with psycopg.connect(database.admin) as connection:
        settled, chunks, wrong, jobs, vectors = connection.execute(
            """
            SELECT (SELECT count(*) FROM documents.documents WHERE status = 'indexed'),
                   (SELECT count(*) FROM documents.chunks),
                   (SELECT count(*) FROM documents.documents d
                    WHERE chunk_count <> (SELECT count(*) FROM documents.chunks WHERE document_id = d.id)),
                   (SELECT count(*) FROM jobs.procrastinate_jobs),
                   (SELECT count(*) FROM documents.chunk_embeddings)
            """
        ).fetchone() or (0, 0, 0, 0, 0)
    assert (settled, wrong, jobs) == (documents, 0, 0)
    assert chunks == vectors > documents


async def test_no_document_is_lost_when_workers_are_killed(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    """Kills at random points; the seed is printed when it fails."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    documents = [await ingest.upload(long_text(number), f"{number}.md") for number in range(24)]

    async def indexed() -> int:
        return int((await ingest.get("/v1/collections/docs")).json()["indexed_count"])

    for _ in range(3):
        async with worker_process(settings) as process:
            # Work has begun, and goes on for a random bit.
            goal = min(await indexed() + 1, len(documents))
            await eventually(indexed, partial(operator.le, goal))
            await asyncio.sleep(chance.uniform(0, 0.3))
            process.kill()
    async with worker_process(settings):
        for document in documents:
            found = await ingest.settled(document)
            assert found["status"] == "indexed", (seed, found)

        async def jobs() -> int:
            with psycopg.connect(database.admin) as connection:
                row = connection.execute("SELECT count(*) FROM jobs.procrastinate_jobs").fetchone()
                assert row is not None
                return int(row[0])

        await eventually(jobs, lambda left: left == 0)
    assert_whole(database, len(documents))


async def test_a_document_that_kills_every_worker_ends_as_failed(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    document = await ingest.upload(b"text")
    with psycopg.connect(database.admin) as connection:
        connection.execute("SET search_path = jobs")
        # As the last of its attempts leaves it: in work, its worker gone.
        connection.execute("UPDATE procrastinate_jobs SET status = 'doing', attempts = 5, worker_id = NULL")
    async with worker_process(settings):
        found = await ingest.settled(document)
    assert found["error"]["code"] == "worker_died"
    assert "6 times" in found["error"]["detail"]


@pytest.mark.parametrize("grace", ["PT20S", "PT0.2S"], ids=["finishes", "gives back"])
async def test_sigterm_lets_no_document_lie(
    ingest: Ingest, settings: IngestSettings, database: Database, grace: str
) -> None:
    documents = [await ingest.upload(long_text(number) * 5, f"{number}.md") for number in range(8)]

    async def at_work() -> bool:
        found = (await ingest.get("/v1/collections/docs/documents")).json()["items"]
        return any(item["status"] in ("parsing", "embedding") for item in found)

    async with worker_process(settings, PILOTHOUSE_SERVER_GRACE=grace) as process:
        await eventually(at_work, bool)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await process.wait() == 0
    with psycopg.connect(database.admin) as connection:
        left = connection.execute("SELECT DISTINCT status::text FROM jobs.procrastinate_jobs").fetchall()
        statuses = connection.execute("SELECT DISTINCT status FROM documents.documents").fetchall()
        assert connection.execute("SELECT count(*) FROM jobs.procrastinate_workers").fetchone() == (0,)
    assert set(left) <= {("todo",)}
    assert set(statuses) <= {("queued",), ("indexed",)}
    async with worker_process(settings):
        for document in documents:
            assert (await ingest.settled(document))["status"] == "indexed"


async def test_a_worker_survives_the_loss_of_its_connections(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    documents = [await ingest.upload(long_text(number), f"{number}.md") for number in range(12)]
    async with worker_process(settings) as process:

        async def begun() -> int:
            return int((await ingest.get("/v1/collections/docs")).json()["indexed_count"])

        await eventually(begun, lambda count: count > 0)
        with psycopg.connect(database.admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'pilothouse-ingest-worker' AND datname = current_database()"
            )
        for document in documents:
            assert (await ingest.settled(document))["status"] == "indexed"
        assert process.returncode is None
