"""Cursors: opaque to callers, the sort key of the last row to us."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from pilothouse_core.problem import Problem

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[Item]
    next_cursor: str | None


Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before, unchanged.")
]


def encode_cursor(*parts: datetime | UUID) -> str:
    """The cursor that continues after the row with this sort key."""
    text = "|".join(part.isoformat() if isinstance(part, datetime) else str(part) for part in parts)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_time_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The sort key of a list ordered by time and id. Raises a 422 `Problem`."""
    try:
        time, _, key = _text(cursor).partition("|")
        return datetime.fromisoformat(time), UUID(key)
    except ValueError as exc:
        raise _invalid_cursor() from exc


def decode_id_cursor(cursor: str) -> UUID:
    """The sort key of a list ordered by id. Raises a 422 `Problem`."""
    try:
        return UUID(_text(cursor))
    except ValueError as exc:
        raise _invalid_cursor() from exc


def _text(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as exc:
        raise ValueError("not a cursor") from exc


def _invalid_cursor() -> Problem:
    return Problem(
        status=422,
        code="invalid_cursor",
        title="The cursor is not valid",
        detail="Send `next_cursor` of the page before unchanged, or leave `cursor` out to begin anew.",
    )
