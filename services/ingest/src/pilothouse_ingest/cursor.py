"""Cursors of paged lists: opaque to clients, the last row's key inside."""

import base64
import binascii
from typing import Annotated
from uuid import UUID

from fastapi import Query

from pilothouse_core.problem import Problem

Limit = Annotated[int, Query(ge=1, le=200, description="Entries of a page at most.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before; the first page without.")
]


def encode_cursor(key: str) -> str:
    """The cursor that continues after this key."""
    return base64.urlsafe_b64encode(key.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str | None) -> str | None:
    """The key in a cursor. Raises a 422 `Problem` for one that we did not make."""
    if cursor is None:
        return None
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise _invalid() from exc
    if "\x00" in key:
        raise _invalid()
    return key


def decode_id_cursor(cursor: str | None) -> UUID | None:
    """The id in a cursor. Raises a 422 `Problem`."""
    key = decode_cursor(cursor)
    try:
        return UUID(key) if key is not None else None
    except ValueError as exc:
        raise _invalid() from exc


def _invalid() -> Problem:
    return Problem(
        status=422,
        code="invalid_cursor",
        title="This page does not exist",
        detail="The cursor is not one that this list gave. Start again without a cursor.",
    )
