"""HTTP for sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from pilothouse_chat_ui.dependencies import CurrentPrincipal, DatabasePool
from pilothouse_chat_ui.paging import Cursor, Page, decode_time_cursor, encode_cursor
from pilothouse_chat_ui.sessions import repository, service
from pilothouse_chat_ui.sessions.models import Session
from pilothouse_chat_ui.sessions.schemas import NewSession, SessionChange, SessionOut
from pilothouse_chat_ui.text import PlainText
from pilothouse_core.failover import RepeatingRoute

router = APIRouter(prefix="/api/sessions", route_class=RepeatingRoute, tags=["sessions"])


@router.get("", response_model=Page[SessionOut])
async def list_sessions(
    pool: DatabasePool,
    principal: CurrentPrincipal,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
    q: Annotated[PlainText | None, Query(max_length=200, description="Part of the title.")] = None,
) -> dict[str, object]:
    """One's own conversations, last changed first."""
    before = decode_time_cursor(cursor) if cursor else None
    async with pool.connection() as conn:
        found = await repository.newest(
            conn, principal.subject, limit=limit + 1, before=before, containing=(q or "").strip() or None
        )
    items = found[:limit]
    more = len(found) > limit
    return {
        "items": items,
        "next_cursor": encode_cursor(items[-1].updated_at, items[-1].id) if more else None,
    }


@router.post("", response_model=SessionOut, status_code=status.HTTP_201_CREATED)
async def create_session(pool: DatabasePool, principal: CurrentPrincipal, wanted: NewSession) -> Session:
    """Begins a conversation."""
    return await service.create(pool, principal, wanted)


@router.get("/{session_id}", response_model=SessionOut)
async def read_session(pool: DatabasePool, principal: CurrentPrincipal, session_id: UUID) -> Session:
    """One conversation."""
    return await service.read(pool, principal, session_id)


@router.patch("/{session_id}", response_model=SessionOut)
async def change_session(
    pool: DatabasePool, principal: CurrentPrincipal, session_id: UUID, wanted: SessionChange
) -> Session:
    """Renames a conversation, or changes the collection that it searches."""
    return await service.change(pool, principal, session_id, wanted)


@router.delete("/{session_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_session(pool: DatabasePool, principal: CurrentPrincipal, session_id: UUID) -> None:
    """Deletes a conversation with everything in it."""
    await service.delete(pool, principal, session_id)
