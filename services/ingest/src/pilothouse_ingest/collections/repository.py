"""SQL for collections. Every statement asks in SQL whether the principal may."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection
from pilothouse_core.ids import new_id
from pilothouse_ingest.collections.models import Collection

LIST = """
SELECT c.id, c.name, c.description, c.owner, c.readers, c.writers, c.created_at, c.updated_at,
       n.document_count, n.indexed_count, n.failed_count, n.chunk_count,
       (c.owner = %(subject)s OR c.readers && %(grants)s::text[]) AS can_read,
       (c.owner = %(subject)s OR c.writers && %(grants)s::text[]) AS can_write
FROM collections c
CROSS JOIN LATERAL (
    SELECT count(*) AS document_count,
           count(*) FILTER (WHERE d.status = 'indexed') AS indexed_count,
           count(*) FILTER (WHERE d.status = 'failed') AS failed_count,
           coalesce(sum(d.chunk_count), 0)::bigint AS chunk_count
    FROM documents d WHERE d.collection_id = c.id
) n
WHERE (c.owner = %(subject)s OR c.readers && %(grants)s::text[] OR c.writers && %(grants)s::text[])
  AND (%(name)s::text IS NULL OR c.name = %(name)s)
  AND (%(after)s::text IS NULL OR c.name > %(after)s)
ORDER BY c.name
LIMIT %(limit)s
"""

CREATE = """
INSERT INTO collections (id, name, description, owner, readers, writers)
VALUES (%(id)s, %(name)s, %(description)s, %(subject)s, %(readers)s, %(writers)s)
ON CONFLICT (name) DO NOTHING
RETURNING id
"""

UPDATE = """
UPDATE collections
SET description = coalesce(%(description)s, description),
    readers = coalesce(%(readers)s::text[], readers),
    writers = coalesce(%(writers)s::text[], writers),
    updated_at = clock_timestamp()
WHERE name = %(name)s AND owner = %(subject)s
RETURNING id
"""

DELETE = "DELETE FROM collections WHERE name = %(name)s AND owner = %(subject)s RETURNING id"


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """What to set; None leaves it as it is."""

    description: str | None = None
    readers: Sequence[str] | None = None
    writers: Sequence[str] | None = None


async def page(
    connection: Connection,
    principal: Principal,
    *,
    limit: int,
    after: str | None = None,
    name: str | None = None,
) -> list[Collection]:
    """Collections that the principal may read or write, by name."""
    async with connection.cursor(row_factory=class_row(Collection)) as cursor:
        await cursor.execute(
            LIST,
            {
                "subject": principal.subject,
                "grants": principal.grants,
                "name": name,
                "after": after,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def find(connection: Connection, principal: Principal, name: str) -> Collection | None:
    """One collection, or None when there is none that the principal may know of."""
    found = await page(connection, principal, limit=1, name=name)
    return found[0] if found else None


async def create(connection: Connection, principal: Principal, name: str, change: CollectionChange) -> bool:
    """Makes the collection; False when the name is taken."""
    parameters: dict[str, object] = {
        "id": new_id(),
        "name": name,
        "subject": principal.subject,
        "description": change.description or "",
        "readers": list(change.readers if change.readers is not None else ["everyone"]),
        "writers": list(change.writers if change.writers is not None else ["everyone"]),
    }
    return await _returned(connection, CREATE, parameters)


async def update(connection: Connection, principal: Principal, name: str, change: CollectionChange) -> bool:
    """Changes the principal's own collection; False when it is not theirs."""
    parameters: dict[str, object] = {
        "name": name,
        "subject": principal.subject,
        "description": change.description,
        "readers": None if change.readers is None else list(change.readers),
        "writers": None if change.writers is None else list(change.writers),
    }
    return await _returned(connection, UPDATE, parameters)


async def delete(connection: Connection, principal: Principal, name: str) -> bool:
    """Deletes the principal's own collection with everything in it; False when it is not theirs."""
    # The documents of a large collection take longer than one request's statement may.
    await connection.execute("SET LOCAL statement_timeout = 0")
    return await _returned(connection, DELETE, {"name": name, "subject": principal.subject})


async def _returned(connection: Connection, query: LiteralString, parameters: dict[str, object]) -> bool:
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(query, parameters)
        found: UUID | None = await cursor.fetchone()
        return found is not None
