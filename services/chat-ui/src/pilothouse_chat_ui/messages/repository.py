"""SQL for messages. Every statement names the owner."""

from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pilothouse_chat_ui.messages.models import Message
from pilothouse_core.database import Connection

NEWEST = """
SELECT id, session_id, owner, role, content, status, collection, model, sources, citations, grounding,
       error, feedback, created_at
FROM messages
WHERE session_id = %(session_id)s AND owner = %(owner)s AND superseded_at IS NULL
  AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid)
ORDER BY id DESC
LIMIT %(limit)s
"""

FIND = """
SELECT id, session_id, owner, role, content, status, collection, model, sources, citations, grounding,
       error, feedback, created_at
FROM messages
WHERE id = %(id)s AND owner = %(owner)s AND (superseded_at IS NULL OR %(replaced_too)s)
"""

SUPERSEDE = """
UPDATE messages SET superseded_at = now()
WHERE session_id = %(session_id)s AND owner = %(owner)s AND id >= %(first)s AND superseded_at IS NULL
"""

INSERT = """
INSERT INTO messages
    (id, session_id, owner, role, content, status, collection, sources, citations, search_tokens)
VALUES (%(id)s, %(session_id)s, %(owner)s, %(role)s, %(content)s, %(status)s, %(collection)s, %(sources)s,
        %(citations)s, %(search_tokens)s::tsvector)
"""

FINISH = """
UPDATE messages
SET content = %(content)s, status = %(status)s, model = %(model)s, sources = %(sources)s,
    citations = %(citations)s, grounding = %(grounding)s, error = %(error)s,
    search_tokens = %(search_tokens)s::tsvector
WHERE id = %(id)s AND owner = %(owner)s
"""

RATE = """
UPDATE messages SET feedback = %(rating)s, feedback_note = %(note)s
WHERE id = %(id)s AND owner = %(owner)s AND role = 'assistant'
RETURNING id, session_id, owner, role, content, status, collection, model, sources, citations, grounding,
          error, feedback, created_at
"""


async def newest(
    conn: Connection, owner: str, session_id: UUID, *, limit: int, before: UUID | None = None
) -> list[Message]:
    """The messages that are shown, newest first."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        await cursor.execute(
            NEWEST, {"session_id": session_id, "owner": owner, "limit": limit, "before": before}
        )
        return await cursor.fetchall()


async def find(
    conn: Connection, owner: str, message_id: UUID, *, replaced_too: bool = False
) -> Message | None:
    """One message; None when it is not there, was replaced, or is somebody else's."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        await cursor.execute(FIND, {"id": message_id, "owner": owner, "replaced_too": replaced_too})
        return await cursor.fetchone()


async def supersede(conn: Connection, owner: str, session_id: UUID, *, first: UUID) -> None:
    """Takes this message and all after it out of the conversation."""
    await conn.execute(SUPERSEDE, {"session_id": session_id, "owner": owner, "first": first})


async def insert(conn: Connection, message: Message, *, search_tokens: str) -> None:
    """Adds a message."""
    await conn.execute(
        INSERT,
        {
            "id": message.id,
            "session_id": message.session_id,
            "owner": message.owner,
            "role": message.role,
            "content": message.content,
            "status": message.status,
            "collection": message.collection,
            "sources": Jsonb(message.sources),
            "citations": Jsonb(message.citations),
            "search_tokens": search_tokens,
        },
    )


async def finish(conn: Connection, message: Message, *, search_tokens: str) -> None:
    """Stores the answer as it stands at the end of its run."""
    await conn.execute(
        FINISH,
        {
            "id": message.id,
            "owner": message.owner,
            "content": message.content,
            "status": message.status,
            "model": message.model,
            "sources": Jsonb(message.sources),
            "citations": Jsonb(message.citations),
            "grounding": Jsonb(message.grounding) if message.grounding is not None else None,
            "error": Jsonb(message.error) if message.error is not None else None,
            "search_tokens": search_tokens,
        },
    )


async def rate(
    conn: Connection, owner: str, message_id: UUID, *, rating: str | None, note: str | None
) -> Message | None:
    """Stores what the owner thinks of an answer; None when there is no such answer."""
    async with conn.cursor(row_factory=class_row(Message)) as cursor:
        await cursor.execute(RATE, {"id": message_id, "owner": owner, "rating": rating, "note": note})
        return await cursor.fetchone()
