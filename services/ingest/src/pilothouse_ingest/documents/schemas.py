"""Documents on the wire."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from pilothouse_ingest.documents.models import Document, Status


class DocumentError(BaseModel):
    """Why a document could not be indexed, in words for a person."""

    code: str
    detail: str


class DocumentOut(BaseModel):
    """A document and how far its processing is."""

    id: UUID
    collection: str
    external_id: str | None
    title: str
    media_type: str
    size_bytes: int
    sha256: str
    status: Status
    progress: float
    chunk_count: int
    error: DocumentError | None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class DocumentPage(BaseModel):
    """A page of documents, newest first."""

    items: list[DocumentOut]
    next_cursor: str | None


def to_wire(document: Document) -> DocumentOut:
    """The document as clients see it."""
    error = None
    if document.error_code is not None:
        error = DocumentError(code=document.error_code, detail=document.error_detail or "")
    return DocumentOut(
        id=document.id,
        collection=document.collection,
        external_id=document.external_id,
        title=document.title,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        status=document.status,
        progress=document.progress,
        chunk_count=document.chunk_count,
        error=error,
        metadata=document.metadata,
        created_at=document.created_at,
        updated_at=document.updated_at,
    )
