"""HTTP for runs: follow and stop."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, status

from pilothouse_chat_ui.dependencies import CurrentPrincipal, DatabasePool, RunFollower
from pilothouse_chat_ui.notifications import notify, stop_topic
from pilothouse_chat_ui.runs import repository
from pilothouse_chat_ui.runs.schemas import DoneEvent, ErrorEvent, SourcesEvent, TokenEvent
from pilothouse_chat_ui.sse import EventStream, event_stream
from pilothouse_core.failover import RepeatingRoute, repeatable
from pilothouse_core.problem import Problem

router = APIRouter(prefix="/api/runs", route_class=RepeatingRoute, tags=["runs"])

EventNumber = Annotated[int, Query(ge=0, le=2**31 - 1)]

EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events `sources`, `token`, `done`, `error`; the last two end the stream.",
        "model": SourcesEvent | TokenEvent | DoneEvent | ErrorEvent,
    }
}


@router.get("/{run_id}/events", response_class=EventStream, responses=EVENT_STREAM)
async def follow_run(
    run_id: UUID,
    pool: DatabasePool,
    principal: CurrentPrincipal,
    follower: RunFollower,
    after: EventNumber = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Follows an answer from after the given event on; `Last-Event-ID` wins over `after`."""
    if last_event_id is not None and last_event_id.isascii() and last_event_id.isdigit():
        after = min(int(last_event_id[:10]), 2**31 - 1)
    async with pool.connection() as conn:
        if await repository.find(conn, principal.subject, run_id) is None:
            raise _run_not_found()
    return event_stream(follower.follow(principal.subject, run_id, after))


@router.post("/{run_id}/stop", status_code=status.HTTP_202_ACCEPTED)
@repeatable
async def stop_run(run_id: UUID, pool: DatabasePool, principal: CurrentPrincipal) -> dict[str, str]:
    """Asks for the end of an answer; its stream then ends with `done`. Harmless when it has ended."""
    async with pool.connection() as conn, conn.transaction():
        if await repository.find(conn, principal.subject, run_id) is None:
            raise _run_not_found()
        await repository.request_stop(conn, principal.subject, run_id)
        await notify(conn, stop_topic(run_id))
    return {"run_id": str(run_id)}


def _run_not_found() -> Problem:
    return Problem(
        status=404,
        code="run_not_found",
        title="This answer is not there",
        detail="Its conversation may have been deleted. Reload the page.",
    )
