"""From upload to searchable chunks, with a worker in this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg

from pilothouse_core.embedding import EmbedderError, Vectors
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.settings import IngestSettings
from pilothouse_ingest.worker import run_worker
from support.database import Database
from support.documents import encrypted_docx, pdf
from support.ingest import Ingest, eventually

Worker = Callable[[], AbstractAsyncContextManager[None]]
Rows = list[tuple[object, ...]]


def rows(database: Database, query: str) -> Rows:
    with psycopg.connect(database.admin) as connection:
        return connection.execute(query.encode()).fetchall()


HANDBOOK = "# Handbook\n\n## Leave\n\nTwenty days a year. 你好，世界。\n\n## Pay\n\n" + "Paid monthly. " * 200


async def test_a_document_becomes_text_chunks_and_vectors(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    async with worker():
        document = await ingest.settled(await ingest.upload(HANDBOOK.encode(), "handbook.md"))
    assert (document["status"], document["title"], document["progress"]) == ("indexed", "Handbook", 1)
    text = (await ingest.get(f"/v1/documents/{document['id']}/text")).text
    assert text == HANDBOOK
    chunks = rows(
        database,
        "SELECT ordinal, text, start_offset, end_offset, heading FROM documents.chunks ORDER BY 1",
    )
    assert [chunk[0] for chunk in chunks] == list(range(document["chunk_count"]))
    assert all(text[int(str(start)) : int(str(end))] == found for _, found, start, end, _ in chunks)
    assert chunks[-1][4] == "Handbook › Pay"
    embedded = rows(
        database,
        "SELECT count(*), min(vector_dims(e.embedding)), min(s.model), min(s.state) "
        "FROM documents.chunk_embeddings e JOIN documents.embedding_spaces s ON s.id = e.space_id",
    )
    assert embedded == [(len(chunks), 64, "hash", "active")]
    found = rows(
        database, "SELECT count(*) FROM documents.chunks WHERE tokens @@ '''handbook'' & ''世界'''::tsquery"
    )
    assert found == [(1,)]
    assert rows(database, "SELECT count(*) FROM jobs.procrastinate_jobs") == [(0,)]
    counts = (await ingest.get("/v1/collections/docs")).json()
    assert (counts["indexed_count"], counts["chunk_count"]) == (1, len(chunks))


async def test_a_slice_of_the_text_counts_code_points(ingest: Ingest, worker: Worker) -> None:
    async with worker():
        document = await ingest.settled(await ingest.upload("a👍b你好".encode()))
    response = await ingest.get(f"/v1/documents/{document['id']}/text", start=1, end=4)
    assert response.text == "👍b你"
    assert [response.headers[f"x-text-{name}"] for name in ("start", "end", "total")] == ["1", "4", "5"]
    for start in (9, 2**31 - 2):
        beyond = await ingest.get(f"/v1/documents/{document['id']}/text", start=start)
        assert (beyond.text, beyond.headers["x-text-start"]) == ("", "5")
    assert (await ingest.get(f"/v1/documents/{document['id']}/text", start=2**31 - 1)).status_code == 422


async def test_a_poisonous_file_hurts_only_itself(ingest: Ingest, worker: Worker) -> None:
    async with worker():
        good = [await ingest.upload(f"good text {n}".encode()) for n in range(3)]
        bad = {
            await ingest.upload(pdf([[]]), "scan.pdf"): "no_text_found",
            await ingest.upload(pdf([[(10, "x")]], password="p"), "locked.pdf"): "password_protected",
            await ingest.upload(encrypted_docx(), "locked.docx"): "password_protected",
            await ingest.upload(b"%PDF-1.7 and no more", "torn.pdf"): "damaged_file",
            await ingest.upload(bytes(range(256)), "rubbish.txt"): "not_text",
            await ingest.upload(b" \n ", "blank.txt"): "no_text_found",
        }
        good += [await ingest.upload(f"more text {n}".encode()) for n in range(3)]
        assert {(await ingest.settled(document))["status"] for document in good} == {"indexed"}
        for document, code in bad.items():
            found = await ingest.settled(document)
            assert found["error"]["code"] == code
            assert found["error"]["detail"]
    failed = (await ingest.get("/v1/collections/docs/documents", status="failed")).json()["items"]
    assert {item["id"] for item in failed} == set(bad)


async def test_a_new_version_takes_the_place_of_the_old_one_at_once(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    async with worker():
        document = await ingest.upload(b"The old answer is one.", external_id="x")
        await ingest.settled(document)
    await ingest.upload(b"The new answer is two.", external_id="x")
    assert rows(database, "SELECT text FROM documents.chunks") == [("The old answer is one.",)]
    assert (await ingest.get(f"/v1/documents/{document}/text")).text == "The old answer is one."
    async with worker():
        await ingest.settled(document)
    assert rows(database, "SELECT text FROM documents.chunks") == [("The new answer is two.",)]
    assert rows(database, "SELECT count(*) FROM documents.document_blobs") == [(1,)]


async def test_a_new_version_that_fails_leaves_the_old_one_searchable(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    async with worker():
        document = await ingest.upload(b"good text", external_id="x")
        await ingest.settled(document)
        await ingest.upload(b"%PDF-1.7 torn", "x.pdf", external_id="x")
        assert (await ingest.settled(document))["status"] == "failed"
    assert rows(database, "SELECT text FROM documents.chunks") == [("good text",)]


async def test_deleting_takes_chunks_and_vectors_along(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    async with worker():
        await ingest.settled(await ingest.upload(HANDBOOK.encode(), "a.md"))
        second = await ingest.upload(b"other text")
        await ingest.settled(second)
        assert (await ingest.client.delete(f"/v1/documents/{second}")).status_code == 204
        left = "SELECT count(*) FROM documents.chunks WHERE text = 'other text'"
        assert rows(database, left) == [(0,)]
        assert (await ingest.client.delete("/v1/collections/docs")).status_code == 204
    for table in ("documents", "chunks", "chunk_embeddings", "document_texts", "document_blobs"):
        # The names are those of this list.
        assert rows(database, f"SELECT count(*) FROM documents.{table}") == [(0,)]


class Broken(HashEmbedder):
    """An embedder that refuses what it gets in the first calls."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    async def embed_documents(self, texts: Sequence[str]) -> Vectors:
        if self.failures:
            self.failures -= 1
            raise EmbedderError("The embedding server at http://embed did not take the text.")
        return await super().embed_documents(texts)


@asynccontextmanager
async def working_with(embedder: HashEmbedder, settings: IngestSettings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(settings, stop=stop, embedder=embedder))
    try:
        yield
    finally:
        stop.set()
        await task


async def wake(settings: IngestSettings) -> None:
    """Lets the worker look for jobs whose waiting time is over, which it does on every notification."""
    async with await psycopg.AsyncConnection.connect(settings.database.url.get_secret_value()) as connection:
        payload = '{"type": "job_inserted", "job_id": 0}'
        await connection.execute("SELECT pg_notify('procrastinate_queue_v1#ingest', %s)", (payload,))


async def settled_with_waking(ingest: Ingest, document: str, settings: IngestSettings) -> dict[str, object]:
    async def ask() -> dict[str, object]:
        await wake(settings)
        return await ingest.document(document)

    return await eventually(ask, lambda found: found["status"] in ("indexed", "failed"))


async def test_an_embedder_that_fails_a_few_times_is_asked_again(
    ingest: Ingest, settings: IngestSettings
) -> None:
    async with working_with(Broken(failures=3), settings):
        document = await ingest.upload(b"patient text")
        assert (await settled_with_waking(ingest, document, settings))["status"] == "indexed"


async def test_an_embedder_that_always_refuses_a_document_is_said_to_and_retry_works(
    ingest: Ingest, settings: IngestSettings
) -> None:
    document = await ingest.upload(b"patient text")
    async with working_with(Broken(failures=10**6), settings):
        found = await settled_with_waking(ingest, document, settings)
    assert found["status"] == "failed"
    assert isinstance(found["error"], dict)
    assert found["error"]["code"] == "embedder_unavailable"
    assert "6 times" in found["error"]["detail"]
    retried = await ingest.client.post(f"/v1/documents/{document}/retry")
    assert (retried.status_code, retried.json()["status"], retried.json()["error"]) == (202, "queued", None)
    async with working_with(HashEmbedder(), settings):
        assert (await ingest.settled(document))["status"] == "indexed"
        again = await ingest.client.post(f"/v1/documents/{document}/retry")
        assert (again.status_code, again.json()["code"]) == (409, "already_indexed")


async def test_uploading_a_failed_document_again_tries_it_again(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    async with worker():
        document = await ingest.upload(b"text")
        await ingest.settled(document)
    with psycopg.connect(database.admin) as connection:
        connection.execute("UPDATE documents.documents SET status = 'failed', error_code = 'x'")
    response = await ingest.send(b"text")
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    async with worker():
        assert (await ingest.settled(document))["status"] == "indexed"


async def test_a_document_that_lost_its_job_gets_a_new_one(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    document = await ingest.upload(b"text")
    with psycopg.connect(database.admin) as connection:
        connection.execute("SET search_path = jobs")
        connection.execute("DELETE FROM procrastinate_jobs")
    async with worker():
        assert (await ingest.settled(document))["status"] == "indexed"


async def test_a_document_whose_bytes_are_gone_fails_and_says_so(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    document = await ingest.upload(b"text")
    with psycopg.connect(database.admin) as connection:
        connection.execute("DELETE FROM documents.document_blobs")
    async with worker():
        found = await ingest.settled(document)
    assert found["error"]["code"] == "bytes_missing"


async def test_a_job_that_comes_twice_does_nothing_the_second_time(
    ingest: Ingest, worker: Worker, database: Database
) -> None:
    document = await ingest.upload(b"text")
    with psycopg.connect(database.admin) as connection:
        connection.execute("SET search_path = jobs")
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) "
            "SELECT queue_name, task_name, args FROM procrastinate_jobs"
        )
    async with worker():
        await ingest.settled(document)

        async def jobs() -> Rows:
            return rows(database, "SELECT id FROM jobs.procrastinate_jobs")

        await eventually(jobs, lambda found: not found)
    assert rows(database, "SELECT count(*) FROM documents.chunks") == [(1,)]
