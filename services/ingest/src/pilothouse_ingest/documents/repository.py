"""SQL for documents. What a person asks for is filtered by their rights in the statement itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection
from pilothouse_core.ids import new_id
from pilothouse_ingest.documents.models import Document, Incoming, Status

FIND = """
SELECT d.id, d.collection_id, c.name AS collection, d.external_id, d.title, d.filename, d.media_type,
       d.size_bytes, d.sha256, d.revision, d.indexed_revision, d.status, d.progress, d.chunk_count,
       d.error_code, d.error_detail, d.metadata, d.created_at, d.updated_at,
       (c.owner = %(subject)s OR c.readers && %(grants)s::text[]) AS can_read,
       (c.owner = %(subject)s OR c.writers && %(grants)s::text[]) AS can_write
FROM documents d JOIN collections c ON c.id = d.collection_id
WHERE d.id = %(id)s
  AND (c.owner = %(subject)s OR c.readers && %(grants)s::text[] OR c.writers && %(grants)s::text[])
"""

LIST = """
SELECT d.id, d.collection_id, c.name AS collection, d.external_id, d.title, d.filename, d.media_type,
       d.size_bytes, d.sha256, d.revision, d.indexed_revision, d.status, d.progress, d.chunk_count,
       d.error_code, d.error_detail, d.metadata, d.created_at, d.updated_at,
       true AS can_read,
       (c.owner = %(subject)s OR c.writers && %(grants)s::text[]) AS can_write
FROM documents d JOIN collections c ON c.id = d.collection_id
WHERE d.collection_id = %(collection_id)s
  AND (c.owner = %(subject)s OR c.readers && %(grants)s::text[])
  AND (%(status)s::text IS NULL OR d.status = %(status)s)
  AND (%(before)s::uuid IS NULL OR d.id < %(before)s)
  AND (%(ids)s::uuid[] IS NULL OR d.id = ANY(%(ids)s))
  AND (NOT %(unfinished)s OR d.status IN ('queued', 'parsing', 'embedding'))
  AND (%(since)s::timestamptz IS NULL OR d.updated_at > %(since)s)
ORDER BY d.id DESC
LIMIT %(limit)s
"""

# KEY SHARE: the collection cannot be deleted while a document is put into it.
LOCK_COLLECTION = """
SELECT c.id FROM collections c
WHERE c.id = %(id)s AND (c.owner = %(subject)s OR c.writers && %(grants)s::text[])
FOR KEY SHARE
"""

LOCK_SAME_BYTES = """
SELECT id FROM documents WHERE collection_id = %(collection_id)s AND sha256 = %(sha256)s FOR UPDATE
"""

LOCK_EXTERNAL = """
SELECT id FROM documents WHERE collection_id = %(collection_id)s AND external_id = %(external_id)s FOR UPDATE
"""

ADOPT_EXTERNAL_ID = """
UPDATE documents SET external_id = %(external_id)s, updated_at = clock_timestamp()
WHERE id = %(id)s AND external_id IS NULL
"""

INSERT = """
INSERT INTO documents
    (id, collection_id, owner, external_id, title, filename, media_type, size_bytes, sha256, metadata)
VALUES (%(id)s, %(collection_id)s, %(owner)s, %(external_id)s, %(filename)s, %(filename)s, %(media_type)s,
        %(size_bytes)s, %(sha256)s, %(metadata)s)
"""

REVISE = """
UPDATE documents
SET revision = revision + 1, filename = %(filename)s, media_type = %(media_type)s,
    size_bytes = %(size_bytes)s, sha256 = %(sha256)s, metadata = %(metadata)s,
    status = 'queued', progress = 0, error_code = NULL, error_detail = NULL, updated_at = clock_timestamp()
WHERE id = %(id)s
RETURNING revision
"""

REQUEUE = """
UPDATE documents
SET status = 'queued', progress = 0, error_code = NULL, error_detail = NULL, updated_at = clock_timestamp()
WHERE id = %(id)s AND status = 'failed'
RETURNING revision
"""

DELETE = """
DELETE FROM documents d USING collections c
WHERE c.id = d.collection_id AND d.id = %(id)s
  AND (c.owner = %(subject)s OR c.writers && %(grants)s::text[])
RETURNING d.id
"""

SUPERSEDE = "DELETE FROM documents WHERE id = %(id)s"

# length() and substr() count characters of the database's encoding, which is UTF-8: code points.
TEXT = """
SELECT substr(t.text, %(start)s + 1, %(length)s), length(t.text)
FROM document_texts t
JOIN documents d ON d.id = t.document_id
JOIN collections c ON c.id = d.collection_id
WHERE t.document_id = %(id)s AND (c.owner = %(subject)s OR c.readers && %(grants)s::text[])
"""

TEXT_LIMIT = 2**31 - 2  # substr counts from 1, in 32 bits


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents of a collection; None and False do not narrow."""

    status: Status | None = None
    before: UUID | None = None
    ids: list[UUID] | None = None
    unfinished: bool = False
    since: datetime | None = None


async def find(connection: Connection, principal: Principal, document_id: UUID) -> Document | None:
    """A document of a collection that the principal may read or write."""
    async with connection.cursor(row_factory=class_row(Document)) as cursor:
        await cursor.execute(FIND, {"id": document_id, **_rights(principal)})
        return await cursor.fetchone()


async def page(
    connection: Connection, principal: Principal, collection_id: UUID, chosen: Filter, *, limit: int
) -> list[Document]:
    """Documents that the principal may read, newest first."""
    async with connection.cursor(row_factory=class_row(Document)) as cursor:
        await cursor.execute(
            LIST,
            {
                "collection_id": collection_id,
                "status": chosen.status,
                "before": chosen.before,
                "ids": chosen.ids,
                "unfinished": chosen.unfinished,
                "since": chosen.since,
                "limit": limit,
                **_rights(principal),
            },
        )
        return await cursor.fetchall()


async def lock_collection(connection: Connection, principal: Principal, collection_id: UUID) -> bool:
    """Keeps the collection from being deleted; False when it is gone or not writable."""
    return await _scalar(connection, LOCK_COLLECTION, {"id": collection_id, **_rights(principal)}) is not None


async def lock_same_bytes(connection: Connection, collection_id: UUID, sha256: str) -> UUID | None:
    """The collection's document with these bytes."""
    return await _id(connection, LOCK_SAME_BYTES, {"collection_id": collection_id, "sha256": sha256})


async def lock_external(connection: Connection, collection_id: UUID, external_id: str) -> UUID | None:
    """The collection's document with this external id."""
    return await _id(connection, LOCK_EXTERNAL, {"collection_id": collection_id, "external_id": external_id})


async def adopt_external_id(connection: Connection, document_id: UUID, external_id: str) -> None:
    """Gives the external id to a document that has none."""
    await connection.execute(ADOPT_EXTERNAL_ID, {"id": document_id, "external_id": external_id})


async def insert(
    connection: Connection, principal: Principal, collection_id: UUID, incoming: Incoming
) -> UUID:
    """Adds a document, revision 1. Raises `psycopg.errors.UniqueViolation`."""
    document_id = new_id()
    await connection.execute(
        INSERT,
        {
            "id": document_id,
            "collection_id": collection_id,
            "owner": principal.subject,
            "external_id": incoming.external_id,
            **_file(incoming),
        },
    )
    return document_id


async def revise(connection: Connection, document_id: UUID, incoming: Incoming) -> int:
    """Gives a document new bytes and returns the new revision; the old one stays searchable."""
    revision = await _scalar(connection, REVISE, {"id": document_id, **_file(incoming)})
    assert isinstance(revision, int)
    return revision


async def requeue(connection: Connection, document_id: UUID) -> int | None:
    """Puts a failed document back to `queued` and returns its revision; None when it has not failed."""
    revision = await _scalar(connection, REQUEUE, {"id": document_id})
    assert revision is None or isinstance(revision, int)
    return revision


async def supersede(connection: Connection, document_id: UUID) -> None:
    """Deletes a document whose new content is there as another document."""
    await connection.execute(SUPERSEDE, {"id": document_id})


async def delete(connection: Connection, principal: Principal, document_id: UUID) -> bool:
    """Deletes a document with bytes, text and chunks; False when the principal may not or it is not there."""
    await connection.execute("SET LOCAL statement_timeout = 0")
    return await _id(connection, DELETE, {"id": document_id, **_rights(principal)}) is not None


async def text(
    connection: Connection, principal: Principal, document_id: UUID, *, start: int, end: int | None
) -> tuple[str, int] | None:
    """A slice of the extracted text and the length of the whole, in code points."""
    length = TEXT_LIMIT if end is None else max(0, end - start)
    cursor = await connection.execute(
        TEXT,
        {"id": document_id, "start": start, "length": min(length, TEXT_LIMIT - start), **_rights(principal)},
    )
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


def _rights(principal: Principal) -> dict[str, object]:
    return {"subject": principal.subject, "grants": principal.grants}


def _file(incoming: Incoming) -> dict[str, object]:
    return {
        "filename": incoming.filename,
        "media_type": incoming.media_type,
        "size_bytes": incoming.size_bytes,
        "sha256": incoming.sha256,
        "metadata": Jsonb(incoming.metadata),
    }


async def _scalar(connection: Connection, query: LiteralString, parameters: dict[str, object]) -> object:
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, parameters)
        value: object = await cursor.fetchone()
        return value


async def _id(connection: Connection, query: LiteralString, parameters: dict[str, object]) -> UUID | None:
    value = await _scalar(connection, query, parameters)
    assert value is None or isinstance(value, UUID)
    return value
