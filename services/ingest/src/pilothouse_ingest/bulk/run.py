"""Takes one part of a folder in, and works along until each of its files is indexed or failed.

Files become documents with jobs in the common queue, a bounded number ahead, and a worker in this process
takes jobs as every worker does. So nothing is lost when the process dies, others may help, and a second
run finds what the first has done.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TypeAlias
from uuid import UUID

import structlog
from psycopg import Error, InterfaceError, InternalError, OperationalError
from psycopg_pool import PoolTimeout

from pilothouse_core.database import Pool, open_pool
from pilothouse_core.embedding import Embedder
from pilothouse_core.problem import Problem
from pilothouse_ingest.bulk import repository
from pilothouse_ingest.bulk.folder import Listing, Part, unreadable
from pilothouse_ingest.bulk.intake import Intake
from pilothouse_ingest.bulk.outcome import Failure, Outcome
from pilothouse_ingest.bulk.queue import BulkQueue
from pilothouse_ingest.bulk.settings import BulkProcessSettings, BulkSettings
from pilothouse_ingest.documents.models import Document
from pilothouse_ingest.parsing.formats import EXTENSIONS
from pilothouse_ingest.settings import SEARCH_PATH
from pilothouse_ingest.worker import run_worker

log = structlog.get_logger()

Report: TypeAlias = Callable[[Outcome, float], None]

_READERS = 4  # files that are read and stored at once
_LOOK_SECONDS = 0.5
# What is said of a file whose kind nobody reads; size and emptiness are noticed before the kind.
_FOREIGN = {"unsupported_media_type", "too_large", "empty_file"}
# The database is away or has just changed its primary; that passes.
_PASSING = (OperationalError, InterfaceError, InternalError, PoolTimeout)


async def run_part(
    settings: BulkProcessSettings,
    listing: Listing,
    part: Part,
    collection: str,
    *,
    report: Report,
    stop: asyncio.Event,
    embedder: Embedder | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """What became of the part's files; `report` is told now and then. The `clock` measures patience."""
    enough = asyncio.Event()
    async with open_bulk_pool(settings) as pool:
        queue = BulkQueue()
        await queue.open(pool)
        intake = Intake(settings, pool, queue, listing, collection)
        run = _Run(settings.bulk, pool, intake, listing, part, clock)
        worker = asyncio.create_task(
            run_worker(settings, stop=enough, embedder=embedder, ended=run.note_movement)
        )
        try:
            await run.until_settled(worker, stop, report)
        finally:
            enough.set()
            await asyncio.gather(worker, return_exceptions=True)
    return run.outcome


def open_bulk_pool(settings: BulkProcessSettings) -> contextlib.AbstractAsyncContextManager[Pool]:
    """Connections for the readers; the worker has its own."""
    few = settings.database.model_copy(update={"pool_min": 1, "pool_max": _READERS + 1})
    return open_pool(few, application_name="ingest-bulk", search_path=SEARCH_PATH)


@dataclass(slots=True)
class _Awaited:
    document: UUID
    sha256: str
    updated_at: datetime


class _Run:
    def __init__(
        self,
        settings: BulkSettings,
        pool: Pool,
        intake: Intake,
        listing: Listing,
        part: Part,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._intake = intake
        self._names = listing.names(part)
        refusals = listing.refusals(part)
        self.outcome = Outcome(total=len(self._names) + len(refusals))
        for failure in refusals:
            self.outcome.fail(failure)
        self._room = asyncio.Semaphore(settings.ahead)
        self._awaited: dict[str, _Awaited] = {}
        self._clock = clock
        self._moved = clock()

    def note_movement(self) -> None:
        """The worker takes uploads and other parts' files too; it is not stuck while these end."""
        self._moved = self._clock()

    async def until_settled(self, worker: asyncio.Task[None], stop: asyncio.Event, report: Report) -> None:
        started = reported = time.monotonic()
        offering = asyncio.create_task(self._offer_all())
        try:
            while self._awaited or not offering.done():
                if reason := self._end(worker, stop):
                    self.outcome.broken = reason
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await (stop.wait() if offering.done() else asyncio.wait((offering,)))
                await self._look()
                if time.monotonic() - reported >= self._settings.report.total_seconds():
                    reported = time.monotonic()
                    report(self.outcome, reported - started)
            await offering
        except* Problem as group:
            first = group.exceptions[0]
            self.outcome.broken = first.detail if isinstance(first, Problem) else str(first)
        finally:
            offering.cancel()
            await asyncio.gather(offering, return_exceptions=True)

    def _end(self, worker: asyncio.Task[None], stop: asyncio.Event) -> str | None:
        """Why to end before the end."""
        if stop.is_set():
            return "It was told to stop. Start it again to go on."
        if worker.done():
            return str(worker.exception() or "The worker ended.")
        if self._clock() - self._moved > self._settings.patience.total_seconds():
            return (
                f"Nothing has moved for {self._settings.patience.total_seconds():.0f} seconds. The log above "
                "says what was away: the database or the embedding server. Start it again when that is back."
            )
        return None

    async def _offer_all(self) -> None:
        names = iter(self._names)
        async with asyncio.TaskGroup() as group:
            for _ in range(_READERS):
                group.create_task(self._offer_each(names))

    async def _offer_each(self, names: Iterator[str]) -> None:
        for name in names:
            await self._room.acquire()
            while not await self._offer(name):  # noqa: ASYNC110  the database tells nobody that it is back
                await asyncio.sleep(_LOOK_SECONDS)

    async def _offer(self, name: str) -> bool:
        """False when it should be tried again."""
        try:
            document, new = await self._intake.offer(name)
        except Problem as exc:
            if exc.code.startswith("collection_"):
                raise  # it was deleted, or closed to this owner; that is so for every file
            self._refuse(Failure(name, exc.code, exc.detail))
        except OSError as exc:
            self._refuse(unreadable(name, exc))
        except _PASSING as exc:
            log.warning("database_unavailable", error=str(exc))
            return False
        except Exception as exc:  # one file must not end the work on all others
            log.exception("bulk_file_not_accepted", file=name)
            what = f"Something unexpected went wrong ({type(exc).__name__}); the log says more."
            self._refuse(Failure(name, code="internal_error", detail=what))
        else:
            self._accepted(name, document, new)
        self.note_movement()
        return True

    def _accepted(self, name: str, document: Document, new: bool) -> None:
        if new and document.revision > 1:
            self.outcome.replaced += 1
        elif new:
            self.outcome.added += 1
        elif document.status == "indexed":
            self.outcome.unchanged += 1
            self.outcome.indexed += 1
            self._room.release()
            return
        self._awaited[name] = _Awaited(document.id, document.sha256, document.updated_at)

    def _refuse(self, failure: Failure) -> None:
        """A file that was never meant as a document is no failure."""
        ending = PurePath(failure.name).suffix.lower()
        if ending in EXTENSIONS or failure.code not in _FOREIGN:
            self.outcome.fail(failure)
        else:
            self.outcome.skipped[ending or "no ending"] += 1
        self._room.release()

    async def _look(self) -> None:
        """Settles the files whose documents have come to an end."""
        asked = dict(self._awaited)  # more are accepted while the database answers
        if not asked:
            return
        try:
            async with self._pool.connection() as connection:
                found = await repository.states(connection, {one.document for one in asked.values()})
        except (Error, PoolTimeout) as exc:
            log.warning("database_unavailable", error=str(exc))
            return
        for name, awaited in asked.items():
            state = found.get(awaited.document)
            if state is None or state.sha256 != awaited.sha256 or state.status in ("indexed", "failed"):
                self._settle(name, awaited, state)
            elif state.updated_at != awaited.updated_at:
                awaited.updated_at = state.updated_at
                self.note_movement()

    def _settle(self, name: str, awaited: _Awaited, state: repository.State | None) -> None:
        del self._awaited[name]
        self._room.release()
        self.note_movement()
        if state is None:
            what = "The document was deleted while it was being indexed. Start again to have it back."
            self.outcome.fail(Failure(name, code="document_deleted", detail=what))
        elif state.sha256 != awaited.sha256:
            what = (
                "Another upload took its place while it was being indexed. Start again to put this one back."
            )
            self.outcome.fail(Failure(name, code="document_replaced", detail=what))
        elif state.status == "failed":
            self.outcome.fail(Failure(name, state.error_code or "", state.error_detail or ""))
        else:
            self.outcome.indexed += 1
