"""What a session is inside the service."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation; `collection` is what is searched, None for all that the owner may read."""

    id: UUID
    owner: str
    title: str
    collection: str | None
    created_at: datetime
    updated_at: datetime
    active_run_id: UUID | None
