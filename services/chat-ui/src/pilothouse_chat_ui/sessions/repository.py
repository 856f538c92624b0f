"""SQL for sessions. Every statement names the owner."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from pilothouse_chat_ui.sessions.models import Session
from pilothouse_core.database import Connection

LIST = """
SELECT s.id, s.owner, s.title, s.collection, s.created_at, s.updated_at, r.id AS active_run_id
FROM sessions s
LEFT JOIN runs r ON r.session_id = s.id AND r.status = 'running'
WHERE s.owner = %(owner)s
  AND (%(time)s::timestamptz IS NULL OR (s.updated_at, s.id) < (%(time)s, %(id)s::uuid))
  AND (%(pattern)s::text IS NULL OR s.title ILIKE %(pattern)s)
ORDER BY s.updated_at DESC, s.id DESC
LIMIT %(limit)s
"""

FIND = """
SELECT s.id, s.owner, s.title, s.collection, s.created_at, s.updated_at, r.id AS active_run_id
FROM sessions s
LEFT JOIN runs r ON r.session_id = s.id AND r.status = 'running'
WHERE s.id = %(id)s AND s.owner = %(owner)s
"""

LOCK = "SELECT id FROM sessions WHERE id = %(id)s AND owner = %(owner)s FOR UPDATE"

# It is sent again when it is not known whether it was stored.
INSERT = """
INSERT INTO sessions (id, owner, title, collection)
VALUES (%(id)s, %(owner)s, %(title)s, %(collection)s)
ON CONFLICT (id) DO NOTHING
"""

# Renaming is no news in the conversation, so it does not move the session up in the list.
UPDATE = """
UPDATE sessions SET title = %(title)s, collection = %(collection)s WHERE id = %(id)s AND owner = %(owner)s
"""

TOUCH = """
UPDATE sessions SET updated_at = clock_timestamp() WHERE id = %(id)s AND owner = %(owner)s
"""

DELETE = "DELETE FROM sessions WHERE id = %(id)s AND owner = %(owner)s"


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def newest(
    conn: Connection,
    owner: str,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    containing: str | None = None,
) -> list[Session]:
    """The owner's sessions, last changed first."""
    time, key = before or (None, None)
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(
            LIST,
            {
                "owner": owner,
                "limit": limit,
                "time": time,
                "id": key,
                "pattern": like_pattern(containing) if containing else None,
            },
        )
        return await cursor.fetchall()


async def find(conn: Connection, owner: str, session_id: UUID) -> Session | None:
    """One session, None when it is not there or belongs to somebody else."""
    async with conn.cursor(row_factory=class_row(Session)) as cursor:
        await cursor.execute(FIND, {"owner": owner, "id": session_id})
        return await cursor.fetchone()


async def lock(conn: Connection, owner: str, session_id: UUID) -> Session | None:
    """As `find`, and nobody else changes the conversation until the transaction ends."""
    await conn.execute(LOCK, {"owner": owner, "id": session_id})
    return await find(conn, owner, session_id)


async def insert(
    conn: Connection, owner: str, session_id: UUID, *, title: str, collection: str | None
) -> None:
    """Adds a session."""
    await conn.execute(INSERT, {"id": session_id, "owner": owner, "title": title, "collection": collection})


async def update(conn: Connection, session: Session) -> None:
    """Stores title and collection."""
    await conn.execute(
        UPDATE,
        {
            "id": session.id,
            "owner": session.owner,
            "title": session.title,
            "collection": session.collection,
        },
    )


async def touch(conn: Connection, owner: str, session_id: UUID) -> None:
    """Moves the session to the top of the list."""
    await conn.execute(TOUCH, {"id": session_id, "owner": owner})


async def delete(conn: Connection, owner: str, session_id: UUID) -> bool:
    """Deletes the session with all that is in it; False when there was none."""
    cursor = await conn.execute(DELETE, {"id": session_id, "owner": owner})
    return cursor.rowcount > 0
