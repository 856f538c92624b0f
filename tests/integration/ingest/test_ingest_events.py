"""Server-sent events of a collection."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import psycopg
import pytest

from pilothouse_ingest.settings import IngestSettings
from support.database import Database
from support.ingest import Ingest
from support.ingest_api import serve_api

Worker = Callable[[], AbstractAsyncContextManager[None]]
Event = dict[str, Any]


@pytest.fixture
async def served(settings: IngestSettings) -> AsyncIterator[Ingest]:
    async with serve_api(settings) as client:
        found = Ingest(client)
        await found.make_collection("docs")
        yield found


async def events(response: httpx2.Response) -> AsyncIterator[Event]:
    """The stream's events; comments are left out."""
    event: Event = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        if name:
            event[name] = json.loads(value) if name == "data" else value.strip()
        elif event:
            yield event
            event = {}


async def until(stream: AsyncIterator[Event], document: str, status: str) -> list[Event]:
    """The document's events up to the one with this status."""
    seen = []
    async for event in stream:
        if event["data"]["id"] == document:
            seen.append(event)
            if event["data"].get("status") == status:
                return seen
    raise AssertionError(f"the stream ended before {document} was {status}")


def watch(served: Ingest, **headers: str | bytes) -> AbstractAsyncContextManager[httpx2.Response]:
    raw = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    return served.client.stream("GET", "/v1/collections/docs/events", headers=raw)


async def test_every_change_of_a_document_is_told(served: Ingest, worker: Worker) -> None:
    async with watch(served) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = events(response)
        document = await served.upload(b"text to watch")
        async with worker():
            seen = await until(stream, document, "indexed")
        assert {event["event"] for event in seen} == {"document"}
        assert seen[-1]["data"] == await served.document(document)
        ids = [int(event["id"]) for event in seen]
        assert ids == sorted(ids)
        await served.client.delete(f"/v1/documents/{document}")
        gone = await anext(stream)
        assert (gone["event"], gone["data"]) == ("deleted", {"id": document})


async def test_a_stream_begins_with_what_is_in_work(served: Ingest) -> None:
    document = await served.upload(b"waiting")
    async with watch(served) as response:
        first = await anext(events(response))
        assert (first["data"]["id"], first["data"]["status"]) == (document, "queued")


async def test_an_event_id_that_is_no_number_is_passed_over(served: Ingest) -> None:
    document = await served.upload(b"text")
    async with watch(served, **{"last-event-id": b"\xb2"}) as response:
        await until(events(response), document, "queued")


async def test_a_stream_goes_on_after_the_last_event_seen(served: Ingest, worker: Worker) -> None:
    async with watch(served) as response:
        stream = events(response)
        document = await served.upload(b"text")
        last = (await until(stream, document, "queued"))[-1]
    async with worker():
        await served.settled(document)
    async with watch(served, **{"last-event-id": last["id"]}) as response:
        await until(events(response), document, "indexed")


async def test_watchers_share_one_connection_and_outlive_its_loss(served: Ingest, database: Database) -> None:
    listeners = "FROM pg_stat_activity WHERE application_name = 'pilothouse-ingest-events'"
    here = " AND datname = current_database()"
    async with watch(served) as one, watch(served) as other:
        streams = [events(one), events(other)]
        first = await served.upload(b"before")
        for stream in streams:
            await until(stream, first, "queued")
        with psycopg.connect(database.admin, autocommit=True) as connection:
            count = connection.execute(f"SELECT count(*) {listeners}{here}".encode()).fetchone()
            assert count == (1,)
            connection.execute(f"SELECT pg_terminate_backend(pid) {listeners}{here}".encode())
        second = await served.upload(b"after")
        for stream in streams:
            await until(stream, second, "queued")


async def test_a_collection_that_is_not_there_has_no_stream(served: Ingest) -> None:
    response = await served.get("/v1/collections/none/events")
    assert (response.status_code, response.json()["code"]) == (404, "collection_not_found")
