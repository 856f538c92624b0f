"""Decisions about collections: who may make, change, see and delete them."""

import re

from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection
from pilothouse_core.problem import Problem
from pilothouse_ingest.collections import repository
from pilothouse_ingest.collections.models import Collection
from pilothouse_ingest.collections.repository import CollectionChange

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


async def put(
    connection: Connection, principal: Principal, name: str, change: CollectionChange
) -> tuple[Collection, bool]:
    """Makes or changes a collection; True when it is new. Raises `Problem`."""
    if NAME.fullmatch(name) is None:
        raise Problem(
            status=422,
            code="invalid_collection_name",
            title="This is not a possible name for a collection",
            detail="A name has 1 to 63 characters: small letters a-z, digits and hyphens, no hyphen at the "
            "start. Example: team-handbook.",
        )
    created = await repository.create(connection, principal, name, change)
    if not created and not await repository.update(connection, principal, name, change):
        if await repository.find(connection, principal, name) is None:
            raise Problem(
                status=409,
                code="collection_name_taken",
                title="This name is taken",
                detail=f"There is a collection named {name} that you may not see. Choose another name.",
            )
        raise _not_owner(name)
    return await readable(connection, principal, name), created


async def readable(connection: Connection, principal: Principal, name: str) -> Collection:
    """The collection, if the principal may read it. Raises a 404 `Problem` otherwise."""
    found = await repository.find(connection, principal, name)
    if found is None or not found.can_read:
        raise not_found(name)
    return found


async def writable(connection: Connection, principal: Principal, name: str) -> Collection:
    """The collection, if the principal may write to it. Raises 404, or 403 for one only readable."""
    found = await repository.find(connection, principal, name)
    if found is None:
        raise not_found(name)
    if not found.can_write:
        raise read_only(name)
    return found


async def delete(connection: Connection, principal: Principal, name: str) -> None:
    """Deletes a collection with its documents. Raises `Problem`."""
    if await repository.delete(connection, principal, name):
        return
    if await repository.find(connection, principal, name) is None:
        raise not_found(name)
    raise _not_owner(name)


def not_found(name: str) -> Problem:
    """404: there is no such collection, or the caller may not know of it."""
    return Problem(
        status=404,
        code="collection_not_found",
        title="There is no such collection",
        detail=f"No collection named {name[:63]!r} exists that you may see. "
        "Check the name, or create it with PUT.",
    )


def read_only(name: str) -> Problem:
    """403: the caller may read but not write."""
    return Problem(
        status=403,
        code="collection_read_only",
        title="You may read this collection but not change it",
        detail=f"Ask the owner of {name} to add you to its writers.",
    )


def _not_owner(name: str) -> Problem:
    return Problem(
        status=403,
        code="not_collection_owner",
        title="Only its owner may do that",
        detail=f"The collection {name} belongs to somebody else. Ask them, or choose another name.",
    )
