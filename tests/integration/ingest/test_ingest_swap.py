"""The swap against whoever changes the same rows at the same time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from integration.ingest.conftest import Worker
from pilothouse_core.database import Pool, open_pool
from pilothouse_core.embedding import OtherModelError
from pilothouse_ingest.chunking.chunker import Chunk
from pilothouse_ingest.indexing import store
from pilothouse_ingest.parsing.models import ParsedDocument
from pilothouse_ingest.settings import SEARCH_PATH, IngestSettings
from support.database import Database
from support.ingest import Ingest, eventually

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
INDEXED = store.Indexed(
    title="file",
    parsed=ParsedDocument("text"),
    chunks=[Chunk(0, 4, "text", (), 1)],
    lexemes=["'text':1"],
    vectors=np.ones((1, 64), dtype=np.float16),
)


async def waiting(database: Database) -> int:
    """How many wait for a lock."""
    async with await psycopg.AsyncConnection.connect(database.admin) as watching:
        row = await (await watching.execute(WAITING, (database.name,))).fetchone()
    return int(row[0]) if row else 0


async def begun(pool: Pool, document: UUID) -> Callable[[], Coroutine[Any, Any, None]]:
    """Takes the document up for indexing; what is left to do is its swap."""
    async with pool.connection() as connection:
        space = await store.embedding_space(connection, "hash", 64)
        work = await store.begin(connection, document, 1)
    assert work is not None

    async def swap() -> None:
        async with pool.connection() as connection:
            await store.swap(connection, work, INDEXED, space=space)

    return swap


async def test_deleting_a_collection_and_indexing_in_it_do_not_wait_for_each_other(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    document = UUID(await ingest.upload(b"text"))
    async with (
        open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool,
        await psycopg.AsyncConnection.connect(database.admin) as deleting,
    ):
        swap = await begun(pool, document)

        # A deletion locks the collection first, then what is in it; here it stops in between.
        await deleting.execute("SELECT FROM documents.collections FOR UPDATE")
        swapping = asyncio.create_task(swap())

        await eventually(lambda: waiting(database), lambda count: count == 1)
        await deleting.execute("DELETE FROM documents.collections")
        await deleting.commit()
        with pytest.raises(store.SupersededError):
            await swapping


async def test_a_space_is_not_retired_while_the_first_vectors_are_put_into_it(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    document = UUID(await ingest.upload(b"text"))
    async with (
        open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool,
        await psycopg.AsyncConnection.connect(database.admin) as blocking,
    ):
        swap = await begun(pool, document)

        async def choose_another() -> None:
            async with pool.connection() as connection:
                await store.embedding_space(connection, "another", 32)

        await blocking.execute("SELECT FROM documents.collections FOR UPDATE")
        swapping = asyncio.create_task(swap())
        await eventually(lambda: waiting(database), lambda count: count == 1)
        choosing = asyncio.create_task(choose_another())
        await eventually(lambda: waiting(database), lambda count: count == 2 or choosing.done())
        await blocking.rollback()
        await swapping
        with pytest.raises(OtherModelError):
            await choosing


async def test_a_space_that_gave_way_while_it_was_empty_becomes_the_active_one_again(
    ingest: Ingest, settings: IngestSettings, worker: Worker
) -> None:
    async with (
        worker(),
        open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool,
    ):
        first = await ingest.upload(b"first")
        await ingest.settled(first)
        assert (await ingest.client.delete(f"/v1/documents/{first}")).status_code == 204
        async with pool.connection() as connection:
            await store.embedding_space(connection, "another", 32)
        assert (await ingest.settled(await ingest.upload(b"second")))["status"] == "indexed"
