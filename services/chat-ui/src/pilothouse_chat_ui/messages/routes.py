"""HTTP for messages: read them, ask, say what one thinks of an answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from pilothouse_chat_ui.dependencies import (
    AppSettings,
    CurrentPrincipal,
    DatabasePool,
    RunExecutor,
    RunFollower,
)
from pilothouse_chat_ui.messages import repository, service
from pilothouse_chat_ui.messages.models import Message
from pilothouse_chat_ui.messages.schemas import Feedback, MessageOut, Question
from pilothouse_chat_ui.paging import Cursor, Page, decode_id_cursor, encode_cursor
from pilothouse_chat_ui.runs.routes import EVENT_STREAM
from pilothouse_chat_ui.sessions import repository as sessions
from pilothouse_chat_ui.sessions.service import session_not_found
from pilothouse_chat_ui.sse import EventStream, event_stream
from pilothouse_core.failover import RepeatingRoute, repeatable

router = APIRouter(prefix="/api", route_class=RepeatingRoute, tags=["messages"])


@router.get("/sessions/{session_id}/messages", response_model=Page[MessageOut])
async def list_messages(
    session_id: UUID,
    pool: DatabasePool,
    principal: CurrentPrincipal,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    cursor: Cursor = None,
) -> dict[str, object]:
    """The messages of a conversation, oldest first within a page; the first page has the newest."""
    before = decode_id_cursor(cursor) if cursor else None
    async with pool.connection() as conn:
        found = await repository.newest(conn, principal.subject, session_id, limit=limit + 1, before=before)
        if not found and await sessions.find(conn, principal.subject, session_id) is None:
            raise session_not_found()
    shown = found[:limit]
    return {
        "items": shown[::-1],
        "next_cursor": encode_cursor(shown[-1].id) if len(found) > limit else None,
    }


@router.post("/sessions/{session_id}/messages", response_class=EventStream, responses=EVENT_STREAM)
async def ask(
    session_id: UUID,
    question: Question,
    pool: DatabasePool,
    principal: CurrentPrincipal,
    settings: AppSettings,
    executor: RunExecutor,
    follower: RunFollower,
) -> EventStream:
    """Asks, asks differently, tries again or goes on; the answer comes as server-sent events.

    Going away does not stop the answer: it can be followed at `/api/runs/{x-run-id}/events`.
    """
    executor.check_room()
    asked = await service.ask(
        pool, principal, session_id, question, lease=executor.lease, max_chars=settings.question.max_chars
    )
    executor.start(asked.run)
    return event_stream(
        follower.follow(principal.subject, asked.run.id, 0),
        headers={
            "x-run-id": str(asked.run.id),
            "x-user-message-id": str(asked.question_id),
            "x-assistant-message-id": str(asked.run.id),
        },
    )


@router.post("/messages/{message_id}/feedback", response_model=MessageOut)
@repeatable
async def rate(
    message_id: UUID, feedback: Feedback, pool: DatabasePool, principal: CurrentPrincipal
) -> Message:
    """Stores what one thinks of an answer."""
    return await service.rate(pool, principal, message_id, rating=feedback.rating, note=feedback.note or None)
