"""SQL for search in one's own history. The owner is part of every statement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from pilothouse_chat_ui.sessions.repository import like_pattern
from pilothouse_core.database import Connection

# Titles are few per person and have no index of their own; ILIKE is enough there.
SEARCH = """
(
    SELECT s.id AS session_id, s.title, m.id AS message_id, m.content, m.created_at
    FROM messages m JOIN sessions s ON s.id = m.session_id AND s.owner = m.owner
    WHERE m.owner = %(owner)s AND m.superseded_at IS NULL AND m.search_tokens @@ %(query)s::tsquery
    ORDER BY m.id DESC
    LIMIT %(limit)s
)
UNION ALL
(
    SELECT s.id, s.title, first.id, s.title, s.updated_at
    FROM sessions s
    CROSS JOIN LATERAL (
        SELECT id FROM messages
        WHERE session_id = s.id AND superseded_at IS NULL ORDER BY id LIMIT 1
    ) first
    WHERE s.owner = %(owner)s AND s.title ILIKE %(pattern)s
    ORDER BY s.updated_at DESC
    LIMIT %(limit)s
)
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that has the words, or the first one of a session whose title has them.

    `content` is the text with the words.
    """

    session_id: UUID
    title: str
    message_id: UUID
    content: str
    created_at: datetime


async def search(conn: Connection, owner: str, *, query: str, text: str, limit: int) -> list[Found]:
    """Messages by their words, then sessions by their titles; newest first within each."""
    async with conn.cursor(row_factory=class_row(Found)) as cursor:
        await cursor.execute(
            SEARCH, {"owner": owner, "query": query, "pattern": like_pattern(text), "limit": limit}
        )
        return await cursor.fetchall()
