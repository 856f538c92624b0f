"""The worker: takes documents from the queue, several at a time, until it is told to stop.

SIGTERM or SIGINT: no new document is taken; those in work may finish within the grace time
and are given back after it. Whatever ends the process otherwise, the sweep of the next
worker finds what it held.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import structlog
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg import Error
from psycopg_pool import PoolTimeout

from pilothouse_core.database import Pool, open_pool
from pilothouse_core.embedding import Embedder, EmbedderError, open_embedder
from pilothouse_ingest.documents.blobs import PostgresBlobs
from pilothouse_ingest.indexing.batcher import EmbeddingBatcher
from pilothouse_ingest.indexing.pipeline import Pipeline
from pilothouse_ingest.jobs.queue import QUEUE, TASK, IndexQueue
from pilothouse_ingest.jobs.retry import Backoff, in_words, is_last_attempt
from pilothouse_ingest.jobs.sweep import sweep
from pilothouse_ingest.parsing.pool import ParserPool
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings, WorkerSettings

log = structlog.get_logger()

_RESTART_SECONDS = 2.0
# A notification that arrives while procrastinate is just asking for jobs is lost to it.
_POLL_SECONDS = 1.0


async def run_worker(
    settings: IngestSettings, *, stop: asyncio.Event, embedder: Embedder | None = None
) -> None:
    """Works until `stop` is set. Raises `EmbedderError` when a local model cannot be loaded."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(settings.database, application_name="ingest-worker", search_path=SEARCH_PATH)
        )
        if embedder is None:
            embedder = await _embedder(settings, stack, stop)
            if embedder is None:
                return
        parsers = await stack.enter_async_context(ParserPool(settings.parsing))
        batcher = await stack.enter_async_context(
            EmbeddingBatcher(embedder, batch_size=settings.embedding.batch_size)
        )
        queue = IndexQueue()
        await queue.open(pool)
        pipeline = Pipeline(
            pool=pool,
            queue=queue,
            blobs=PostgresBlobs(pool),
            parsers=parsers,
            embedder=embedder,
            batcher=batcher,
            settings=settings.chunking,
        )
        _register(queue, pipeline, settings.worker)
        async with _sweeping(pool, queue, settings.worker):
            while not stop.is_set():
                await _work(queue, settings, stop)


async def run_until_signal(settings: IngestSettings, *, embedder: Embedder | None = None) -> None:
    """Works until SIGTERM or SIGINT. Without an embedder, the one that the settings name is opened."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_worker(settings, stop=stop, embedder=embedder)
    log.info("worker_stopped")


async def _embedder(settings: IngestSettings, stack: AsyncExitStack, stop: asyncio.Event) -> Embedder | None:
    """The embedder; waits for a server that is not there yet, None when told to stop meanwhile."""
    while not stop.is_set():
        try:
            return await stack.enter_async_context(open_embedder(settings.embedding))
        except EmbedderError as exc:
            if settings.embedding.backend == "local":
                raise
            log.warning("embedder_unavailable", error=str(exc))
        await _wait(stop, _RESTART_SECONDS)
    return None


def _register(queue: IndexQueue, pipeline: Pipeline, settings: WorkerSettings) -> None:
    @queue.app.task(name=TASK, queue=QUEUE, pass_context=True, retry=Backoff(settings))
    async def index_document(context: JobContext, document_id: str, revision: int) -> None:
        job = context.job
        assert job.id is not None
        identifier = UUID(document_id)
        with structlog.contextvars.bound_contextvars(job_id=job.id):
            try:
                await pipeline.index(job.id, identifier, revision)
            except asyncio.CancelledError:
                with contextlib.suppress(Error, PoolTimeout):
                    await pipeline.wait(identifier, revision)
                raise
            except Exception as exc:
                attempt = job.attempts + 1
                log.warning("document_attempt_failed", document_id=document_id, attempt=attempt, exc_info=exc)
                if is_last_attempt(job, settings):
                    await pipeline.fail(job.id, identifier, revision, *in_words(exc, attempt))
                    return
                with contextlib.suppress(Error, PoolTimeout):
                    await pipeline.wait(identifier, revision)
                raise


async def _work(queue: IndexQueue, settings: IngestSettings, stop: asyncio.Event) -> None:
    """One life of procrastinate's worker; it ends when told to, and when the database goes away."""
    lost = queue.manager.lost_job
    lost.clear()
    worker = Worker(
        app=queue.app,
        queues=[QUEUE],
        name="ingest",
        concurrency=settings.worker.concurrency,
        fetch_job_polling_interval=_POLL_SECONDS,
        shutdown_graceful_timeout=settings.server.grace.total_seconds(),
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=settings.worker.heartbeat.total_seconds(),
        stalled_worker_timeout=settings.worker.stalled_after.total_seconds(),
    )
    running = asyncio.create_task(worker.run(), name="worker")  # type: ignore[no-untyped-call]  # as below
    stopping = asyncio.create_task(stop.wait())
    losing = asyncio.create_task(lost.wait())
    try:
        await asyncio.wait((running, stopping, losing), return_when=asyncio.FIRST_COMPLETED)
        worker.stop()  # type: ignore[no-untyped-call]  # procrastinate leaves it without annotations
        await running
    except (ConnectorException, Error, PoolTimeout) as exc:
        log.warning("database_unavailable", error=str(exc.__cause__ or exc))
    finally:
        stopping.cancel()
        losing.cancel()
    if not stop.is_set():
        log.warning("worker_restarts")
        await _wait(stop, _RESTART_SECONDS)


@contextlib.asynccontextmanager
async def _sweeping(pool: Pool, queue: IndexQueue, settings: WorkerSettings) -> AsyncIterator[None]:
    async def forever() -> None:
        while True:
            try:
                await sweep(pool, queue, settings)
            except (ConnectorException, Error, PoolTimeout) as exc:
                log.warning("sweep_failed", error=str(exc.__cause__ or exc))
            await asyncio.sleep(settings.sweep.total_seconds())

    task = asyncio.create_task(forever(), name="sweep")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
