"""Works on one run: from the question to the last event."""

import asyncio
from contextlib import aclosing, suppress
from uuid import UUID

import structlog

from pilothouse_chat_ui.messages import repository as messages
from pilothouse_chat_ui.messages.models import Json, Message
from pilothouse_chat_ui.notifications import Hub, stop_topic, wait
from pilothouse_chat_ui.runs import repository
from pilothouse_chat_ui.runs.answer import Answer, left_behind
from pilothouse_chat_ui.runs.journal import Journal
from pilothouse_chat_ui.runs.models import Lease, LeaseLost, Outcome, Run
from pilothouse_chat_ui.runs.query_client import AnswerFailed, AnswerSource
from pilothouse_chat_ui.settings import RunSettings
from pilothouse_core.auth import Principal
from pilothouse_core.database import Pool

log = structlog.get_logger()


class Worker:
    """Makes answers. One instance serves all runs of a replica."""

    def __init__(
        self, *, pool: Pool, hub: Hub, source: AnswerSource, settings: RunSettings, lease: Lease
    ) -> None:
        self._pool = pool
        self._hub = hub
        self._source = source
        self._settings = settings
        self._lease = lease

    async def work(self, run: Run) -> Outcome:
        """Makes the answer, or ends a run that nobody should work on any more. Raises `LeaseLost`."""
        journal, begins_as, history = await self._open(run)
        if run.stop_requested or run.attempt > self._settings.attempts:
            return await self._end_unfinished(run, journal, begins_as)
        answer = Answer(run, begins_as)
        failure = await self._make(run, journal, answer, history)
        while failure is not None and failure.lost and answer.begun and run.attempt < self._settings.attempts:
            # Its connection broke in the middle; another replica of the query service can make it anew.
            run = await journal.begin_again()
            log.info("run_begun_again", run_id=str(run.id), attempt=run.attempt)
            again = Answer(run, begins_as)
            outcome_of_again = await self._make(run, journal, again, history)
            if not again.begun:
                # What the earlier attempt had is better than nothing; a stop is no failure.
                failure = failure if outcome_of_again is not None else None
                break
            answer, failure = again, outcome_of_again
        if failure is not None:
            error = _error(failure)
            log.warning("run_failed", run_id=str(run.id), code=failure.code)
            await journal.finish(answer, "error", error, begins_as)
            return "error"
        outcome: Outcome = "done" if answer.complete else "stopped"
        await journal.finish(answer, outcome, None, begins_as)
        return outcome

    async def _open(self, run: Run) -> tuple[Journal, Message, list[Json]]:
        async with self._pool.connection() as conn:
            last_seq = await repository.last_seq(conn, run.id)
            begins_as = await messages.find(conn, run.owner, run.id, replaced_too=True)
            if begins_as is None:
                raise LeaseLost
            question_id = UUID(str(run.request["question"]))
            earlier = await messages.newest(
                conn, run.owner, run.session_id, limit=self._settings.history, before=run.id
            )
        shown = [message for message in reversed(earlier) if message.id <= question_id and message.content]
        history: list[Json] = [{"role": message.role, "content": message.content} for message in shown]
        if begins_as.content:
            # An answer at the end is one to go on with; the query service sends what comes after it.
            history.append({"role": "assistant", "content": begins_as.content})
        return Journal(self._pool, run, self._lease, last_seq=last_seq), begins_as, history

    async def _make(
        self, run: Run, journal: Journal, answer: Answer, history: list[Json]
    ) -> AnswerFailed | None:
        """Fills the answer until it is complete, a stop is wanted, or it fails."""
        with self._hub.subscribe(stop_topic(run.id)) as wake:
            reading = asyncio.create_task(self._read(run, answer, history, wake))
            try:
                while True:
                    await wait(wake, self._settings.poll.total_seconds())
                    if reading.done():
                        return reading.result()
                    steps = answer.take()
                    if await (journal.append(steps) if steps else journal.stop_requested()):
                        return None
                    # Tokens that come now wait for each other and become one event.
                    await asyncio.sleep(self._settings.flush.total_seconds())
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading

    async def _read(
        self, run: Run, answer: Answer, history: list[Json], wake: asyncio.Event
    ) -> AnswerFailed | None:
        collection = run.request["collection"]
        parts = self._source.answer(
            Principal(run.owner, tuple(run.groups)),
            collection=str(collection) if collection is not None else None,
            messages=history,
            request_id=run.id.hex,
        )
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()), aclosing(parts):
                async for part in parts:
                    answer.add(part)
                    wake.set()
        except AnswerFailed as exc:
            return exc
        except TimeoutError:
            return AnswerFailed(
                "answer_timeout",
                "The answer took too long",
                f"It was ended after {self._settings.timeout}. Ask something narrower, or go on from here.",
            )
        finally:
            wake.set()
        return None

    async def _end_unfinished(self, run: Run, journal: Journal, begins_as: Message) -> Outcome:
        async with self._pool.connection() as conn:
            events = await repository.all_events(conn, run.id)
        answer = left_behind(run, begins_as, events)
        if run.stop_requested:
            await journal.finish(answer, "stopped", None, begins_as)
            return "stopped"
        error = {
            "code": "run_interrupted",
            "title": "The answer was interrupted",
            "detail": f"The service was interrupted {self._settings.attempts} times while it wrote this "
            "answer. What had arrived is kept; try again, and tell whoever runs Pilothouse if it "
            "happens again.",
        }
        await journal.finish(answer, "error", dict(error), begins_as)
        return "error"


def _error(failure: AnswerFailed) -> Json:
    return {"code": failure.code, "title": failure.title, "detail": failure.detail}
