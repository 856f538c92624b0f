"""Uploads while the database fails over: acknowledged after the commit, stored once."""

from collections.abc import AsyncIterator

import psycopg
import pytest
from pydantic import SecretStr

from pilothouse_ingest.settings import IngestSettings
from support.database import Database
from support.gate import Gate, gated
from support.ingest import Ingest
from support.ingest_api import open_api


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[Gate]:
    async with gated(database) as gate:
        yield gate


@pytest.fixture
async def ingest(gate: Gate, settings: IngestSettings) -> AsyncIterator[Ingest]:
    url = SecretStr(gate.database.url("pilothouse_ingest"))
    through = settings.model_copy(update={"database": settings.database.model_copy(update={"url": url})})
    async with open_api(through) as client:
        found = Ingest(client)
        await found.make_collection("docs")
        yield found


def stored(database: Database) -> tuple[int, ...]:
    with psycopg.connect(database.admin) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM documents.documents), "
            "(SELECT count(*) FROM documents.document_blobs), (SELECT count(*) FROM jobs.procrastinate_jobs)"
        ).fetchone()
    assert row is not None
    return row


async def test_an_upload_whose_commit_is_not_confirmed_is_stored_once(
    ingest: Ingest, gate: Gate, database: Database
) -> None:
    gate.doomed = b"words of this file alone"
    response = await ingest.send(b"words of this file alone")
    assert gate.struck == 1
    # The second attempt finds the bytes of the first.
    assert response.status_code == 200
    assert stored(database) == (1, 1, 1)


async def test_an_upload_whose_connection_breaks_is_stored_all_the_same(
    ingest: Ingest, gate: Gate, database: Database
) -> None:
    gate.cut()
    assert (await ingest.send(b"text")).status_code == 202
    assert stored(database) == (1, 1, 1)


async def test_without_a_database_an_upload_is_refused_and_not_acknowledged(
    ingest: Ingest, gate: Gate, database: Database
) -> None:
    await gate.shut()
    refused = await ingest.send(b"text")
    await gate.open()
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert refused.headers["retry-after"]
    assert stored(database) == (0, 0, 0)
    assert (await ingest.send(b"text")).status_code == 202
