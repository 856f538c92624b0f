"""What may be done with sessions. Changes are announced to the owner's other tabs."""

from dataclasses import replace
from uuid import UUID

from pilothouse_chat_ui.notifications import notify, owner_topic, run_topic, stop_topic
from pilothouse_chat_ui.sessions import repository
from pilothouse_chat_ui.sessions.models import Session
from pilothouse_chat_ui.sessions.schemas import NewSession, SessionChange
from pilothouse_core.auth import Principal
from pilothouse_core.database import Pool
from pilothouse_core.failover import repeated
from pilothouse_core.ids import new_id
from pilothouse_core.problem import Problem


def session_not_found() -> Problem:
    """404, also for the sessions of other people."""
    return Problem(
        status=404,
        code="session_not_found",
        title="This conversation is not there",
        detail="It may have been deleted in another tab. Begin a new one, or pick another from the list.",
    )


async def create(pool: Pool, principal: Principal, wanted: NewSession) -> Session:
    """Begins a conversation."""
    session_id = new_id()

    async def store() -> Session:
        async with pool.connection() as conn, conn.transaction():
            await repository.insert(
                conn, principal.subject, session_id, title=wanted.title, collection=wanted.collection
            )
            await notify(conn, owner_topic(principal.subject))
            session = await repository.find(conn, principal.subject, session_id)
        assert session is not None
        return session

    return await repeated(store)


async def read(pool: Pool, principal: Principal, session_id: UUID) -> Session:
    """One conversation. Raises a 404 `Problem`."""
    async with pool.connection() as conn:
        session = await repository.find(conn, principal.subject, session_id)
    if session is None:
        raise session_not_found()
    return session


async def change(pool: Pool, principal: Principal, session_id: UUID, wanted: SessionChange) -> Session:
    """Renames a conversation or changes what it searches. Raises a 404 `Problem`."""
    async with pool.connection() as conn, conn.transaction():
        session = await repository.lock(conn, principal.subject, session_id)
        if session is None:
            raise session_not_found()
        if wanted.title is not None:
            session = replace(session, title=wanted.title)
        if "collection" in wanted.model_fields_set:
            session = replace(session, collection=wanted.collection)
        await repository.update(conn, session)
        await notify(conn, owner_topic(principal.subject))
    return session


async def delete(pool: Pool, principal: Principal, session_id: UUID) -> None:
    """Deletes a conversation for good; a running answer is abandoned. Raises a 404 `Problem`."""
    async with pool.connection() as conn, conn.transaction():
        session = await repository.lock(conn, principal.subject, session_id)
        if session is None:
            raise session_not_found()
        await repository.delete(conn, principal.subject, session_id)
        topics = [owner_topic(principal.subject)]
        if session.active_run_id is not None:
            topics += [stop_topic(session.active_run_id), run_topic(session.active_run_id)]
        await notify(conn, *topics)
