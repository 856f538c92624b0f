"""SQL of the bulk ingest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from pilothouse_core.database import Connection
from pilothouse_ingest.documents.models import Status

STATES = """
SELECT id, sha256, status, error_code, error_detail, updated_at FROM documents WHERE id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class State:
    """How far a document is."""

    id: UUID
    sha256: str
    status: Status
    error_code: str | None
    error_detail: str | None
    updated_at: datetime


async def states(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, State]:
    """The documents that are there."""
    async with connection.cursor(row_factory=class_row(State)) as cursor:
        await cursor.execute(STATES, {"ids": list(ids)})
        return {state.id: state for state in await cursor.fetchall()}
