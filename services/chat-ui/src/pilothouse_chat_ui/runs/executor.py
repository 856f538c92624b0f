"""The runs of this replica: starts them, keeps their leases, takes over those of dead replicas.

A lease is the only thing that makes a replica responsible for a run. When a process is
killed, its leases end and the next replica that looks takes the runs over and begins their
answers anew. When it is asked to stop, it gives them back at once and says so.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from pilothouse_chat_ui.notifications import REAP_TOPIC, Hub, notify, stop_topic, wait
from pilothouse_chat_ui.runs import repository
from pilothouse_chat_ui.runs.models import Lease, LeaseLost, Run
from pilothouse_chat_ui.runs.query_client import AnswerSource
from pilothouse_chat_ui.runs.worker import Worker
from pilothouse_chat_ui.settings import RunSettings
from pilothouse_core.database import Pool
from pilothouse_core.ids import new_id
from pilothouse_core.problem import Problem

log = structlog.get_logger()

RUNS = Counter("pilothouse_chat_runs", "Answers that ended on this replica.", ["outcome"])
TAKEN_OVER = Counter("pilothouse_chat_runs_taken_over", "Answers taken over from another replica.")
ACTIVE = Gauge("pilothouse_chat_runs_active", "Answers being made by this replica.")

# Runs that a stopping replica's tasks may still be storing; then the lease has to end by itself.
RELEASE_SECONDS = 5.0


class Executor:
    """Has the runs of this replica; `open_executor` makes one that is alive."""

    def __init__(self, *, pool: Pool, hub: Hub, source: AnswerSource, settings: RunSettings) -> None:
        self._pool = pool
        self._hub = hub
        self._settings = settings
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._stopped = False
        self._had_runs = False
        self.lease = Lease(f"{socket.gethostname()}/{new_id()}", settings.lease)
        self._worker = Worker(pool=pool, hub=hub, source=source, settings=settings, lease=self.lease)

    def check_room(self) -> None:
        """Raises a 503 `Problem` when this replica can take no more runs."""
        if self._stopped or self._room() <= 0:
            raise Problem(
                status=503,
                code="busy",
                title="Too many answers are being written",
                detail="Try again in a few seconds; your question is still in the box.",
                headers={"retry-after": "3"},
            )

    def start(self, run: Run) -> None:
        """Works on a run whose lease this replica holds, independent of who is listening."""
        self._had_runs = True
        if self._stopped:
            return  # Its lease is given back when the service ends, or ends by itself.
        self._tasks[run.id] = asyncio.create_task(self._work(run), name=f"run {run.id}")
        ACTIVE.inc()

    async def _work(self, run: Run) -> None:
        try:
            outcome = await self._worker.work(run)
            RUNS.labels(outcome).inc()
            log.info("run_ended", run_id=str(run.id), outcome=outcome, attempt=run.attempt)
        except LeaseLost:
            log.info("run_lost", run_id=str(run.id), attempt=run.attempt)
        except (OperationalError, PoolTimeout) as exc:
            log.warning("run_abandoned", run_id=str(run.id), error=str(exc).strip())
        except Exception:
            # A defect. The lease ends, the run is tried again, and given up after a few attempts.
            log.exception("run_crashed", run_id=str(run.id), attempt=run.attempt)
        finally:
            ACTIVE.dec()
            if self._tasks.get(run.id) is asyncio.current_task():
                del self._tasks[run.id]

    async def renew_leases(self) -> None:
        """Prolongs the leases of live runs, ends work on lost ones, passes stops on."""
        ids = list(self._tasks)
        if not ids:
            return
        async with self._pool.connection() as conn, conn.transaction():
            held = await repository.renew(conn, self.lease, ids)
        for run_id in ids:
            if run_id not in held:
                await self._end([run_id])
            elif held[run_id]:
                self._hub.wake(stop_topic(run_id))

    async def take_over(self) -> None:
        """Takes runs whose lease has ended, as many as there is room for."""
        if self._stopped or self._room() <= 0:
            return
        async with self._pool.connection() as conn, conn.transaction():
            claimed = await repository.claim(conn, self.lease, limit=self._room())
        for run in claimed:
            TAKEN_OVER.inc()
            log.info("run_taken_over", run_id=str(run.id), attempt=run.attempt)
            # After a long database outage it may be a run of our own whose task is still there.
            await self._end([run.id])
            self.start(run)

    async def prune(self) -> None:
        """Deletes events that nobody will replay any more."""
        async with self._pool.connection() as conn, conn.transaction():
            count = await repository.prune(conn, self._settings.retention)
        if count:
            log.info("run_events_pruned", events=count)

    async def hand_over(self) -> None:
        """Ends all work here and gives the runs to whichever replica is quickest."""
        self._stopped = True
        await self._end(list(self._tasks))
        if not self._had_runs:
            return
        try:
            async with asyncio.timeout(RELEASE_SECONDS), self._pool.connection() as conn, conn.transaction():
                count = await repository.release(conn, self.lease.holder)
                if count:
                    await notify(conn, REAP_TOPIC)
                    log.info("runs_given_back", runs=count)
        except (OperationalError, PoolTimeout, TimeoutError) as exc:
            log.warning("runs_not_given_back", error=str(exc).strip())

    def _room(self) -> int:
        return self._settings.active - len(self._tasks)

    async def _end(self, run_ids: Sequence[UUID]) -> None:
        tasks = [task for run_id in run_ids if (task := self._tasks.get(run_id)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for run_id in run_ids:
            self._tasks.pop(run_id, None)


@asynccontextmanager
async def open_executor(
    *, pool: Pool, hub: Hub, source: AnswerSource, settings: RunSettings, stopping: asyncio.Event
) -> AsyncIterator[Executor]:
    """An executor with its rounds running. Its runs are handed over when `stopping` is set, or at the end."""
    executor = Executor(pool=pool, hub=hub, source=source, settings=settings)
    never = asyncio.Event()
    with hub.subscribe(REAP_TOPIC) as given_back:
        rounds = [
            asyncio.create_task(_every(settings.heartbeat, executor.renew_leases, never)),
            asyncio.create_task(_every(settings.reap, executor.take_over, given_back)),
            asyncio.create_task(_every(settings.prune, executor.prune, never)),
        ]
        stop = asyncio.create_task(_when_stopping(stopping, executor, hub))
        try:
            yield executor
        finally:
            for task in [*rounds, stop]:
                task.cancel()
            await asyncio.gather(*rounds, stop, return_exceptions=True)
            await executor.hand_over()


async def _when_stopping(stopping: asyncio.Event, executor: Executor, hub: Hub) -> None:
    await stopping.wait()
    await executor.hand_over()
    hub.wake_all()


async def _every(interval: timedelta, action: Callable[[], Awaitable[None]], wake: asyncio.Event) -> None:
    """Does something at once, then every interval or when woken, whatever happens in one round."""
    while True:
        try:
            await action()
        except (OperationalError, PoolTimeout) as exc:
            log.warning("round_failed", round=action.__name__, error=str(exc).strip())
        except Exception:
            # A defect in one round must not end the rounds: nobody else renews these leases.
            log.exception("round_crashed", round=action.__name__)
        await wait(wake, interval.total_seconds())
