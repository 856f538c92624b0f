"""Identifiers: UUIDs of version 7, so that they sort by the time they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new id, later ids sort after earlier ones (millisecond resolution)."""
    return uuid7()
