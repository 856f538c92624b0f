"""Answers with a document's original bytes: whole or one range, never run by a browser."""

import re
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from pilothouse_core.problem import Problem
from pilothouse_ingest.documents.blobs import BlobStore
from pilothouse_ingest.documents.models import Document
from pilothouse_ingest.parsing.formats import HTML, PDF, PLAIN

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def content_response(document: Document, blobs: BlobStore, range_header: str | None) -> Response:
    """Streams the newest accepted bytes. Raises a 416 `Problem` for a range outside the file."""
    size = document.size_bytes
    headers = {
        "content-disposition": f"inline; filename*=UTF-8''{quote(document.filename, safe='')}",
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "etag": f'"{document.sha256}"',
    }
    if document.media_type != PDF:
        # The browsers' PDF viewers do not open sandboxed documents.
        headers["content-security-policy"] = "sandbox; default-src 'none'"
    wanted = _wanted(range_header, size)
    start, end = wanted or (0, size)
    if wanted:
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    headers["content-length"] = str(end - start)
    return StreamingResponse(
        blobs.read(document.id, document.revision, size=size, start=start, end=end),
        status_code=206 if wanted else 200,
        # A page someone uploaded must not run its scripts here, so it is shown as source.
        media_type=PLAIN if document.media_type == HTML else document.media_type,
        headers=headers,
    )


def _wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """The one range asked for, as start and end; None for the whole, also for several ranges."""
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
    else:
        start, end = max(0, size - int(match[2])), size
    if start >= end:
        raise Problem(
            status=416,
            code="range_not_satisfiable",
            title="The file has no such range",
            detail=f"The file has {size} bytes.",
            headers={"content-range": f"bytes */{size}"},
        )
    return start, end
