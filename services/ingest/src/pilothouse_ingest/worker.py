"""The worker: takes documents from the queue, several at a time, until it is told to stop.

SIGTERM or SIGINT: no new document is taken; those in work may finish within the grace time
and are given back after it. Whatever ends the process otherwise, the sweep of the next
worker finds what it held.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from uuid import UUID

import structlog
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker
from psycopg import Error
from psycopg_pool import PoolTimeout

from pilothouse_core.database import Pool, open_pool
from pilothouse_core.embedding import Embedder, SpaceError, open_embedder
from pilothouse_ingest.documents.blobs import PostgresBlobs
from pilothouse_ingest.indexing.batcher import EmbeddingBatcher
from pilothouse_ingest.indexing.pipeline import Pipeline
from pilothouse_ingest.jobs.depth import measuring
from pilothouse_ingest.jobs.queue import QUEUE, TASK, IndexQueue
from pilothouse_ingest.jobs.retry import Backoff, in_words, is_final
from pilothouse_ingest.jobs.sweep import sweep
from pilothouse_ingest.parsing.pool import ParserPool
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings, WorkerSettings
from pilothouse_ingest.worker_health import WorkerHealth, telling

log = structlog.get_logger()

_RESTART_SECONDS = 2.0
# A notification that arrives while procrastinate is just asking for jobs is lost to it.
_POLL_SECONDS = 1.0


async def run_worker(
    settings: IngestSettings,
    *,
    stop: asyncio.Event,
    embedder: Embedder | None = None,
    ended: Callable[[], None] = lambda: None,
) -> None:
    """Works until `stop` is set, and calls `ended` after each document that came to an end.

    Raises `EmbedderError` when a local model cannot be loaded.
    """
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(settings.database, application_name="ingest-worker", search_path=SEARCH_PATH)
        )
        if embedder is None:
            embedder = await stack.enter_async_context(open_embedder(settings.embedding, patient=True))
        health = WorkerHealth(pool, embedder, settings)
        await stack.enter_async_context(telling(health, settings))
        await stack.enter_async_context(measuring(pool))
        parsers = await stack.enter_async_context(ParserPool(settings.parsing))
        batcher = await stack.enter_async_context(
            EmbeddingBatcher(embedder, batch_size=settings.embedding.batch_size)
        )
        # While the embedding server is away, those in work wait for their next attempt, the others where
        # they are.
        queue = IndexQueue(held=lambda: embedder.away is not None)
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
        unfit = asyncio.Event()
        _register(queue, pipeline, settings.worker, unfit, ended)
        async with _sweeping(pool, queue, settings.worker):
            while await _can_work(health, stop):
                unfit.clear()
                await _work(queue, settings, stop, unfit)


async def run_until_signal(settings: IngestSettings, *, embedder: Embedder | None = None) -> None:
    """Works until SIGTERM or SIGINT. Without an embedder, the one that the settings name is opened."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_worker(settings, stop=stop, embedder=embedder)
    log.info("worker_stopped")


async def _can_work(health: WorkerHealth, stop: asyncio.Event) -> bool:
    """Waits until nothing is missing; False when told to stop. A new reason is logged once."""
    said: dict[str, str] = {}
    while not stop.is_set():
        faults = await health.faults()
        if not faults:
            if said:
                log.info("worker_ready")
            return True
        if faults != said:
            said = faults
            log.warning("worker_waits", **faults)
        await _wait(stop, _RESTART_SECONDS)
    return False


def _register(
    queue: IndexQueue,
    pipeline: Pipeline,
    settings: WorkerSettings,
    unfit: asyncio.Event,
    ended: Callable[[], None],
) -> None:
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
                if isinstance(exc, SpaceError):
                    unfit.set()  # It would go on so with every document.
                attempt = job.attempts + 1
                log.warning("document_attempt_failed", document_id=document_id, attempt=attempt, exc_info=exc)
                if is_final(exc, job, settings):
                    await pipeline.fail(job.id, identifier, revision, *in_words(exc, attempt))
                else:
                    with contextlib.suppress(Error, PoolTimeout):
                        await pipeline.wait(identifier, revision)
                    raise
            ended()


async def _work(
    queue: IndexQueue, settings: IngestSettings, stop: asyncio.Event, unfit: asyncio.Event
) -> None:
    """One life of procrastinate's worker; it ends when told to, when the database goes away, and when the
    embedder's vectors do not fit."""
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
    misfit = asyncio.create_task(unfit.wait())
    try:
        await asyncio.wait((running, stopping, losing, misfit), return_when=asyncio.FIRST_COMPLETED)
        worker.stop()  # type: ignore[no-untyped-call]  # procrastinate leaves it without annotations
        await running
    except (ConnectorException, Error, PoolTimeout) as exc:
        log.warning("database_unavailable", error=str(exc.__cause__ or exc))
    finally:
        stopping.cancel()
        losing.cancel()
        misfit.cancel()
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
