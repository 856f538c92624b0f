"""Documents as the database has them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

Status: TypeAlias = Literal["queued", "parsing", "embedding", "indexed", "failed"]


@dataclass(frozen=True, slots=True)
class Document:
    """A document; `revision` counts accepted versions, `indexed_revision` is the searchable one."""

    id: UUID
    collection_id: UUID
    collection: str
    external_id: str | None
    title: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    revision: int
    indexed_revision: int | None
    status: Status
    progress: float
    chunk_count: int
    error_code: str | None
    error_detail: str | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    can_read: bool
    can_write: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """What is known of an uploaded file before it is stored."""

    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    external_id: str | None
    metadata: dict[str, Any]
