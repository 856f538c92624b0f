"""HTTP for collections."""

from typing import Annotated

from fastapi import APIRouter, Body, Response, status

from pilothouse_core.failover import RepeatingRoute
from pilothouse_core.problem import PROBLEM_RESPONSES
from pilothouse_ingest.collections import repository, service
from pilothouse_ingest.collections.models import Collection
from pilothouse_ingest.collections.repository import CollectionChange
from pilothouse_ingest.collections.schemas import Access, CollectionIn, CollectionOut, CollectionPage
from pilothouse_ingest.cursor import Cursor, Limit, decode_cursor, encode_cursor
from pilothouse_ingest.dependencies import CallerDep, PoolDep

router = APIRouter(
    prefix="/v1/collections", route_class=RepeatingRoute, tags=["collections"], responses=PROBLEM_RESPONSES
)


@router.put(
    "/{name}",
    responses={201: {"model": CollectionOut, "description": "The collection is new"}},
)
async def put_collection(
    name: str,
    caller: CallerDep,
    pool: PoolDep,
    response: Response,
    given: Annotated[CollectionIn | None, Body()] = None,
) -> CollectionOut:
    """Create a collection, or change the description or access of your own."""
    given = given or CollectionIn()
    change = CollectionChange(
        description=given.description,
        readers=given.access.readers if given.access else None,
        writers=given.access.writers if given.access else None,
    )
    async with pool.connection() as connection:
        collection, created = await service.put(connection, caller, name, change)
    if created:
        response.status_code = status.HTTP_201_CREATED
    return to_wire(collection)


@router.get("")
async def list_collections(
    caller: CallerDep, pool: PoolDep, limit: Limit = 50, cursor: Cursor = None
) -> CollectionPage:
    """The collections that you may read or write, by name."""
    async with pool.connection() as connection:
        found = await repository.page(connection, caller, limit=limit + 1, after=decode_cursor(cursor))
    return CollectionPage(
        items=[to_wire(collection) for collection in found[:limit]],
        next_cursor=encode_cursor(found[limit - 1].name) if len(found) > limit else None,
    )


@router.get("/{name}")
async def get_collection(name: str, caller: CallerDep, pool: PoolDep) -> CollectionOut:
    """One collection, with the counts of its documents."""
    async with pool.connection() as connection:
        return to_wire(await service.readable(connection, caller, name))


@router.delete("/{name}", status_code=204)
async def delete_collection(name: str, caller: CallerDep, pool: PoolDep) -> None:
    """Delete your collection and every document in it. Complete when the call returns."""
    async with pool.connection() as connection:
        await service.delete(connection, caller, name)


def to_wire(collection: Collection) -> CollectionOut:
    """The collection as clients see it."""
    return CollectionOut(
        name=collection.name,
        description=collection.description,
        access=Access(readers=collection.readers, writers=collection.writers),
        owner=collection.owner,
        document_count=collection.document_count,
        indexed_count=collection.indexed_count,
        failed_count=collection.failed_count,
        chunk_count=collection.chunk_count,
        created_at=collection.created_at,
        updated_at=collection.updated_at,
    )
