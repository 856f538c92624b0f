"""HTTP for search in one's own history."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from pilothouse_chat_ui.dependencies import CurrentPrincipal, DatabasePool
from pilothouse_chat_ui.history import repository
from pilothouse_chat_ui.history.snippets import snippet
from pilothouse_chat_ui.history.tokens import search_query
from pilothouse_chat_ui.text import PlainText
from pilothouse_core.failover import RepeatingRoute

router = APIRouter(prefix="/api/search", route_class=RepeatingRoute, tags=["history"])


class Hit(BaseModel):
    """A place in one's history."""

    session_id: UUID
    title: str
    message_id: UUID = Field(description="The message with the words, or the first where the title has them.")
    snippet: str
    created_at: datetime


class Hits(BaseModel):
    """What was found, newest first. There are no further pages: narrow the words instead."""

    items: list[Hit]
    next_cursor: None = None


@router.get("")
async def search(
    pool: DatabasePool,
    principal: CurrentPrincipal,
    q: Annotated[PlainText, Query(max_length=200)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Hits:
    """Finds one's own questions, answers and titles, in any language."""
    query, words = search_query(q)
    if not q.strip():
        return Hits(items=[])
    async with pool.connection() as conn:
        found = await repository.search(conn, principal.subject, query=query, text=q.strip(), limit=limit)
    # A first message may be found by its words and by its session's title, which is made from it.
    shown = sorted(
        {hit.message_id: hit for hit in reversed(found)}.values(),
        key=lambda hit: hit.created_at,
        reverse=True,
    )
    return Hits(
        items=[
            Hit(
                session_id=hit.session_id,
                title=hit.title,
                message_id=hit.message_id,
                snippet=snippet(hit.content, words),
                created_at=hit.created_at,
            )
            for hit in shown[:limit]
        ]
    )
