"""HTTP for documents."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status
from fastapi.responses import PlainTextResponse

from pilothouse_core.failover import RepeatingRoute, repeatable, repeated
from pilothouse_core.problem import PROBLEM_RESPONSES, Problem
from pilothouse_ingest.collections import service as collections
from pilothouse_ingest.cursor import Cursor, Limit, decode_id_cursor, encode_cursor
from pilothouse_ingest.dependencies import CallerDep, PoolDep, ResourcesDep
from pilothouse_ingest.documents import repository
from pilothouse_ingest.documents.blobs import PostgresBlobs
from pilothouse_ingest.documents.content import content_response
from pilothouse_ingest.documents.models import Status
from pilothouse_ingest.documents.schemas import DocumentOut, DocumentPage, to_wire
from pilothouse_ingest.documents.service import DocumentService
from pilothouse_ingest.documents.upload import receive

router = APIRouter(prefix="/v1", route_class=RepeatingRoute, tags=["documents"], responses=PROBLEM_RESPONSES)

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "metadata": {"type": "string", "description": "A JSON object, at most 64 KiB."},
                        "external_id": {
                            "type": "string",
                            "maxLength": 1024,
                            "description": "Your own name for the document. New bytes under a known one "
                            "become its new version.",
                        },
                    },
                }
            }
        },
    }
}


def document_service(found: ResourcesDep) -> DocumentService:
    """The service over this app's resources."""
    return DocumentService(found.pool, found.queue, PostgresBlobs(found.pool))


ServiceDep = Annotated[DocumentService, Depends(document_service)]


@router.post(
    "/collections/{name}/documents",
    status_code=202,
    responses={200: {"model": DocumentOut, "description": "These bytes are in the collection already"}},
    openapi_extra=UPLOAD_BODY,
)
async def upload_document(
    name: str,
    request: Request,
    response: Response,
    caller: CallerDep,
    pool: PoolDep,
    found: ResourcesDep,
    documents: ServiceDep,
) -> DocumentOut:
    """Add a document. 202: it is stored for good and will be indexed or fail with a reason.

    The same bytes again answer 200 with the document that has them; if that one had failed, it is
    tried again.
    """

    async def check() -> None:
        async with pool.connection() as connection:
            await collections.writable(connection, caller, name)

    await repeated(check)  # before the body is read: why receive what is refused
    upload = await receive(request, max_bytes=found.settings.upload.max_bytes)
    with upload.file:
        document, new = await documents.accept(caller, name, upload)
    if not new:
        response.status_code = status.HTTP_200_OK
    return to_wire(document)


@router.get("/collections/{name}/documents")
async def list_documents(
    name: str,
    caller: CallerDep,
    pool: PoolDep,
    status: Annotated[Status | None, Query(description="Only documents in this state.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DocumentPage:
    """The collection's documents, newest first."""
    chosen = repository.Filter(status=status, before=decode_id_cursor(cursor))
    async with pool.connection() as connection:
        collection = await collections.readable(connection, caller, name)
        found = await repository.page(connection, caller, collection.id, chosen, limit=limit + 1)
    return DocumentPage(
        items=[to_wire(document) for document in found[:limit]],
        next_cursor=encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None,
    )


@router.get("/documents/{document_id}")
async def get_document(document_id: UUID, caller: CallerDep, documents: ServiceDep) -> DocumentOut:
    """One document, with its state and, if it failed, why."""
    return to_wire(await documents.readable(caller, document_id))


@router.post("/documents/{document_id}/retry", status_code=202)
@repeatable
async def retry_document(document_id: UUID, caller: CallerDep, documents: ServiceDep) -> DocumentOut:
    """Try a failed document again."""
    return to_wire(await documents.retry(caller, document_id))


@router.delete("/documents/{document_id}", status_code=204)
async def delete_document(document_id: UUID, caller: CallerDep, documents: ServiceDep) -> None:
    """Delete a document with its bytes, text and passages. Complete when the call returns."""
    await documents.delete(caller, document_id)


@router.get(
    "/documents/{document_id}/content",
    response_class=Response,
    responses={
        200: {"description": "The original bytes", "content": {"application/octet-stream": {}}},
        206: {"description": "The range asked for", "content": {"application/octet-stream": {}}},
    },
)
async def get_content(
    document_id: UUID,
    caller: CallerDep,
    found: ResourcesDep,
    documents: ServiceDep,
    range_header: Annotated[str | None, Header(alias="range")] = None,
) -> Response:
    """The bytes as they were uploaded. HTML is answered as plain text, so that nothing in it runs."""
    document = await documents.readable(caller, document_id)
    return content_response(document, PostgresBlobs(found.pool), range_header)


@router.get(
    "/documents/{document_id}/text",
    response_class=PlainTextResponse,
    responses={200: {"description": "Text, with the headers x-text-start, x-text-end and x-text-total"}},
)
async def get_text(
    document_id: UUID,
    caller: CallerDep,
    pool: PoolDep,
    documents: ServiceDep,
    start: Annotated[int, Query(ge=0, le=repository.TEXT_LIMIT, description="First code point.")] = 0,
    end: Annotated[int | None, Query(ge=0, description="Code point after the last.")] = None,
) -> PlainTextResponse:
    """The extracted text, or a slice of it: what the offsets of search results and citations refer to."""
    await documents.readable(caller, document_id)
    async with pool.connection() as connection:
        found = await repository.text(connection, caller, document_id, start=start, end=end)
    if found is None:
        document = await documents.readable(caller, document_id)
        raise _no_text_yet(document_id) if document.status != "failed" else _no_text()
    text, total = found
    headers = {
        "x-text-start": str(min(start, total)),
        "x-text-end": str(min(start, total) + len(text)),
        "x-text-total": str(total),
        "x-content-type-options": "nosniff",
    }
    return PlainTextResponse(text, headers=headers)


def _no_text_yet(document_id: UUID) -> Problem:
    return Problem(
        status=409,
        code="not_indexed_yet",
        title="The text is not there yet",
        detail=f"The document is still being read. Ask for it again when /v1/documents/{document_id} "
        "says that it is indexed.",
    )


def _no_text() -> Problem:
    return Problem(
        status=404,
        code="no_text",
        title="The document has no text",
        detail="It could not be read; its `error` says why.",
    )
