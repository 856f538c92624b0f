"""Receiving a file: to disk as it comes, then hashed and handed on slice by slice."""

import asyncio
import hashlib
import json
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from pilothouse_core.problem import Problem
from pilothouse_ingest.documents.blobs import SLICE
from pilothouse_ingest.documents.media_types import SNIFFED, detect
from pilothouse_ingest.documents.models import Incoming

_METADATA_LIMIT = 64 * 1024
# An entry of the index that keeps them unique holds about 2,700.
_EXTERNAL_ID_BYTES = 2500
_METADATA_DEPTH = 32  # what is nested deeper cannot be shown again
_INTEGER_DIGITS = 308  # as large as a JSON number may be elsewhere
_FORM_OVERHEAD = 256 * 1024  # bytes of a form around the file: boundaries, headers, other fields
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A received file: what is known of it, and its bytes on disk."""

    incoming: Incoming
    file: BinaryIO

    async def slices(self) -> AsyncIterator[bytes]:
        """The bytes in slices of `SLICE`, from the start each time."""
        await asyncio.to_thread(self.file.seek, 0)
        while piece := await asyncio.to_thread(self.file.read, SLICE):
            yield piece


async def receive(request: Request, *, max_bytes: int) -> Upload:
    """Reads the multipart body. Raises `Problem`; the caller closes the file."""
    form = await _form(request, max_bytes=max_bytes)
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise _invalid("file", "Send the document as the form field `file`.")
        return await _examine(file, form, max_bytes=max_bytes)
    except BaseException:
        await form.close()
        raise


async def _examine(file: UploadFile, form: FormData, *, max_bytes: int) -> Upload:
    if file.size is not None and file.size > max_bytes:
        raise _too_large(max_bytes)
    if not file.size:
        raise Problem(
            status=422,
            code="empty_file",
            title="The file is empty",
            detail="It holds no bytes. Check that the right file was chosen and that it was saved.",
        )
    filename = _filename(file.filename)
    metadata = _metadata(form.get("metadata"))
    external_id = _external_id(form.get("external_id"))
    sha256, head, tail = await asyncio.to_thread(_scan, file.file, file.size)
    media_type = detect(filename=filename, declared=file.content_type, head=head, tail=tail)
    return Upload(Incoming(filename, media_type, file.size, sha256, external_id, metadata), file.file)


async def _form(request: Request, *, max_bytes: int) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Problem(
            status=415,
            code="not_multipart",
            title="The request is not a form with a file",
            detail="Send multipart/form-data with the document in the field `file`.",
        )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes + _FORM_OVERHEAD:
        raise _too_large(max_bytes)
    parser = MultiPartParser(
        request.headers,
        _limited(request.stream(), max_bytes=max_bytes),
        max_files=1,
        max_fields=8,
        max_part_size=_METADATA_LIMIT + 1,
    )
    try:
        return await parser.parse()
    except _TooMuchError as exc:
        raise _too_large(max_bytes) from exc
    except MultiPartException as exc:
        raise _invalid("body", exc.message) from exc


class _TooMuchError(MultiPartException):
    """More bytes came than are accepted; of this kind, as the parser then closes its files."""


async def _limited(stream: AsyncIterator[bytes], *, max_bytes: int) -> AsyncGenerator[bytes]:
    received = 0
    async for piece in stream:
        received += len(piece)
        if received > max_bytes + _FORM_OVERHEAD:
            raise _TooMuchError("too much")
        yield piece


def _scan(file: BinaryIO, size: int) -> tuple[str, bytes, bytes]:
    """The hash, the beginning and the end, in one pass."""
    digest = hashlib.sha256()
    file.seek(0)
    head = b""
    while piece := file.read(SLICE):
        head = head or piece[:SNIFFED]
        digest.update(piece)
    file.seek(max(0, size - SNIFFED))
    return digest.hexdigest(), head, file.read(SNIFFED)


def _filename(given: str | None) -> str:
    """The last part of the name without control characters; other programs send whole paths."""
    name = PurePosixPath(_CONTROL.sub("", given or "").replace("\\", "/")).name.strip()
    stem, dot, extension = name.rpartition(".")
    return (f"{stem[:200]}{dot}{extension[:20]}" if dot else name[:200]) or "document"


def _external_id(given: object) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str) or len(given) > 1024 or _CONTROL.search(given):
        raise _invalid("external_id", "It must be a text of at most 1024 characters on one line.")
    if len(given.encode(errors="replace")) > _EXTERNAL_ID_BYTES:
        raise _invalid("external_id", f"It must have at most {_EXTERNAL_ID_BYTES} bytes in UTF-8.")
    return given


def _metadata(given: object) -> dict[str, Any]:
    if given is None or given == "":
        return {}
    if not isinstance(given, str) or len(given.encode(errors="replace")) > _METADATA_LIMIT:
        raise _invalid("metadata", "It must be a JSON object of at most 64 KiB.")
    try:
        value = json.loads(given, parse_int=_integer, parse_constant=_refuse)
        cleaned = _storable(value)
    except (ValueError, RecursionError) as exc:
        raise _invalid("metadata", f"It is not valid JSON: {exc}") from exc
    if not isinstance(cleaned, dict):
        raise _invalid("metadata", 'It must be a JSON object, such as {"department": "legal"}.')
    return cleaned


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS:
        raise ValueError("a number is too large")
    return int(digits)


def _storable(value: Any, depth: int = 0) -> Any:
    """The value without what jsonb refuses: NUL characters, lone surrogates, infinite numbers."""
    if depth > _METADATA_DEPTH:
        raise ValueError(f"it is nested deeper than {_METADATA_DEPTH} levels")
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", key): _storable(item, depth + 1) for key, item in value.items()}
    return value


def _invalid(field: str, what: str) -> Problem:
    return Problem(
        status=422,
        code="invalid_request",
        title="The request is not valid",
        detail=f"Correct this and send it again: {field}: {what}",
        errors=[{"where": field, "what": what}],
    )


def _too_large(max_bytes: int) -> Problem:
    return Problem(
        status=413,
        code="too_large",
        title="The file is too large",
        detail=f"The largest file accepted has {max_bytes / 2**20:.0f} MiB. Split it, or ask for the limit "
        "PILOTHOUSE_UPLOAD_MAX_BYTES to be raised.",
        max_bytes=max_bytes,
    )
