"""Collections as the database has them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection with the counts of its documents."""

    id: UUID
    name: str
    description: str
    owner: str
    readers: list[str]
    writers: list[str]
    created_at: datetime
    updated_at: datetime
    document_count: int
    indexed_count: int
    failed_count: int
    chunk_count: int
    can_read: bool
    can_write: bool
