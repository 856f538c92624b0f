"""The swap against whoever changes the same rows at the same time."""

import asyncio
from uuid import UUID

import numpy as np
import psycopg
import pytest

from pilothouse_core.database import open_pool
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


async def test_deleting_a_collection_and_indexing_in_it_do_not_wait_for_each_other(
    ingest: Ingest, settings: IngestSettings, database: Database
) -> None:
    document = UUID(await ingest.upload(b"text"))
    async with (
        open_pool(settings.database, application_name="test", search_path=SEARCH_PATH) as pool,
        await psycopg.AsyncConnection.connect(database.admin) as deleting,
    ):
        async with pool.connection() as connection:
            space = await store.embedding_space(connection, "hash", 64)
            work = await store.begin(connection, document, 1)
        assert work is not None

        async def swap() -> None:
            async with pool.connection() as connection:
                await store.swap(connection, work, INDEXED, space=space)

        # A deletion locks the collection first, then what is in it; here it stops in between.
        await deleting.execute("SELECT FROM documents.collections FOR UPDATE")
        swapping = asyncio.create_task(swap())

        async def waiting() -> int:
            async with await psycopg.AsyncConnection.connect(database.admin) as watching:
                row = await (await watching.execute(WAITING, (database.name,))).fetchone()
            return int(row[0]) if row else 0

        await eventually(waiting, lambda count: count == 1)
        await deleting.execute("DELETE FROM documents.collections")
        await deleting.commit()
        with pytest.raises(store.SupersededError):
            await swapping
