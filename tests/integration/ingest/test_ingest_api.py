"""The HTTP contract of collections and documents, on a real database, without a worker."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import httpx2
import psycopg
import pytest
from pydantic import ByteSize

from pilothouse_ingest.settings import IngestSettings, UploadSettings
from support.database import Database
from support.documents import docx, paragraph, pdf
from support.ingest import Ingest


def assert_problem(response: httpx2.Response, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = dict(response.json())
    assert body["code"] == code
    assert body["detail"]
    return body


def count(database: Database, query: str) -> int:
    with psycopg.connect(database.admin) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])


async def test_a_collection_is_made_changed_listed_and_deleted(client: httpx2.AsyncClient) -> None:
    made = await client.put("/v1/collections/team-docs", json={"description": "Ours"})
    assert made.status_code == 201
    assert made.json()["access"] == {"readers": ["everyone"], "writers": ["everyone"]}
    changed = await client.put("/v1/collections/team-docs", json={"access": {"readers": ["user:ann"]}})
    assert changed.status_code == 200
    assert changed.json()["description"] == "Ours"
    assert changed.json()["access"]["readers"] == ["user:ann"]
    assert [item["name"] for item in (await client.get("/v1/collections")).json()["items"]] == ["team-docs"]
    assert (await client.get("/v1/collections/team-docs")).json()["document_count"] == 0
    assert (await client.delete("/v1/collections/team-docs")).status_code == 204
    assert_problem(await client.get("/v1/collections/team-docs"), 404, "collection_not_found")


@pytest.mark.parametrize("name", ["Docs", "-docs", "a" * 64, "do_cs", "dócs", "a%00b"])
async def test_a_collection_needs_a_possible_name(client: httpx2.AsyncClient, name: str) -> None:
    assert_problem(await client.put(f"/v1/collections/{name}"), 422, "invalid_collection_name")


@pytest.mark.parametrize("grant", ["anyone", "user:", "group:a\u0000b", ""])
async def test_grants_have_a_form(client: httpx2.AsyncClient, grant: str) -> None:
    response = await client.put("/v1/collections/docs", json={"access": {"readers": [grant]}})
    assert_problem(response, 422, "invalid_request")


async def test_lists_are_paged(client: httpx2.AsyncClient) -> None:
    ingest = Ingest(client)
    for name in ("c", "a", "b"):
        await ingest.make_collection(name)
    first = (await client.get("/v1/collections", params={"limit": 2})).json()
    rest = await client.get("/v1/collections", params={"limit": 2, "cursor": first["next_cursor"]})
    assert [item["name"] for item in first["items"] + rest.json()["items"]] == ["a", "b", "c"]
    assert rest.json()["next_cursor"] is None
    ids = [await ingest.upload(f"text {n}".encode(), collection="a") for n in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/v1/collections/a/documents", params={"limit": 2, **cursor})).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ids[::-1]


@pytest.mark.parametrize("cursor", ["nonsense", "!!!", "AAAA", "eA"])
async def test_a_made_up_cursor_is_refused(ingest: Ingest, cursor: str) -> None:
    response = await ingest.get("/v1/collections/docs/documents", cursor=cursor)
    assert_problem(response, 422, "invalid_cursor")


async def test_an_accepted_document_is_stored_with_its_job_in_one_commit(
    ingest: Ingest, database: Database
) -> None:
    data = b"text " * 500_000
    response = await ingest.send(data, "long.txt", metadata='{"team": "legal"}', external_id="a/long.txt")
    assert response.status_code == 202
    body = response.json()
    assert body["status"] == "queued"
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
    assert body["size_bytes"] == len(data)
    assert body["metadata"] == {"team": "legal"}
    assert body["external_id"] == "a/long.txt"
    assert count(database, "SELECT count(*) FROM documents.document_blobs") == 3
    assert count(database, "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'todo'") == 1
    content = await ingest.get(f"/v1/documents/{body['id']}/content")
    assert content.content == data
    assert content.headers["content-disposition"] == "inline; filename*=UTF-8''long.txt"
    part = await ingest.client.get(
        f"/v1/documents/{body['id']}/content", headers={"range": "bytes=1048570-1048585"}
    )
    assert part.status_code == 206
    assert part.content == data[1048570:1048586]
    assert part.headers["content-range"] == f"bytes 1048570-1048585/{len(data)}"
    tail = await ingest.client.get(f"/v1/documents/{body['id']}/content", headers={"range": "bytes=-7"})
    assert tail.content == data[-7:]
    beyond = await ingest.client.get(
        f"/v1/documents/{body['id']}/content", headers={"range": f"bytes={len(data)}-"}
    )
    assert_problem(beyond, 416, "range_not_satisfiable")


async def test_the_same_bytes_are_one_document(ingest: Ingest, database: Database) -> None:
    first = await ingest.send(b"the same", "a.txt")
    again = await ingest.send(b"the same", "b.txt", external_id="b")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["external_id"] == "b"
    assert count(database, "SELECT count(*) FROM jobs.procrastinate_jobs") == 1


async def test_the_same_bytes_at_the_same_time_are_one_document(ingest: Ingest, database: Database) -> None:
    answers = await asyncio.gather(*(ingest.send(b"at once", f"{n}.txt") for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(database, "SELECT count(*) FROM documents.documents") == 1


async def test_new_bytes_under_a_known_external_id_are_a_new_version(
    ingest: Ingest, database: Database
) -> None:
    first = await ingest.upload(b"version one", external_id="x")
    second = await ingest.upload(b"version two", external_id="x")
    assert first == second
    assert (await ingest.get(f"/v1/documents/{first}/content")).content == b"version two"
    assert count(database, "SELECT revision FROM documents.documents") == 2


async def test_a_version_that_equals_another_document_leaves_no_old_text(
    ingest: Ingest, database: Database
) -> None:
    kept = await ingest.upload(b"shared text", external_id="a")
    await ingest.upload(b"old text of b", external_id="b")
    response = await ingest.send(b"shared text", external_id="b")
    assert response.status_code == 200
    assert response.json()["id"] == kept
    assert count(database, "SELECT count(*) FROM documents.documents") == 1


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.md", b"# x", "text/markdown"),
        ("a.rst", b"x\n=\n", "text/x-rst"),
        ("a.htm", b"<p>x", "text/html"),
        ("page.txt", b"<!DOCTYPE html><p>x", "text/html"),
        ("report.docx", pdf([[(10, "x")]]), "application/pdf"),
        (
            "letter.pdf",
            docx(paragraph("x")),
            "application/vnd.openxmlformats-officedocument.wordprocessingml",
        ),
        ("README", b"plain words", "text/plain"),
    ],
)
async def test_a_format_is_told_by_the_content(
    ingest: Ingest, name: str, data: bytes, media_type: str
) -> None:
    response = await ingest.send(data, name)
    assert response.status_code == 202
    assert response.json()["media_type"].startswith(media_type)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.txt", b"\xff\xd8\xff\xe0"),
        ("a.xlsx", b"PK\x03\x04 xl/workbook.xml"),
        ("a.doc", bytes.fromhex("d0cf11e0a1b11ae1")),
        ("a.pdf", b"not a pdf"),
        ("a.bin", b"\x00\x01\x02"),
        ("noname", b"\xff\xfe\xfd"),
    ],
)
async def test_other_formats_are_refused_with_the_list(ingest: Ingest, name: str, data: bytes) -> None:
    body = assert_problem(await ingest.send(data, name), 415, "unsupported_media_type")
    assert body["formats"] == [".txt", ".md", ".markdown", ".rst", ".html", ".htm", ".pdf", ".docx"]


async def test_an_empty_file_is_refused(ingest: Ingest) -> None:
    assert_problem(await ingest.send(b""), 422, "empty_file")


async def test_a_form_without_a_file_is_refused(ingest: Ingest) -> None:
    response = await ingest.client.post("/v1/collections/docs/documents", data={"file": "text"})
    assert_problem(response, 415, "not_multipart")
    response = await ingest.client.post("/v1/collections/docs/documents", files={"other": ("a.txt", b"x")})
    assert_problem(response, 422, "invalid_request")


@pytest.mark.parametrize(
    "metadata",
    [
        "[1]",
        "{",
        "NaN",
        '{"a": NaN}',
        '{"a": 1e999}',
        f'{{"a": {"9" * 5000}}}',
        "[" * 50_000,
        '{"a":' * 300 + "1" + "}" * 300,
        '"text"',
        json.dumps({"a": "x" * 70_000}),
    ],
)
async def test_metadata_is_a_small_json_object(ingest: Ingest, metadata: str) -> None:
    assert_problem(await ingest.send(b"x", metadata=metadata), 422, "invalid_request")


async def test_what_postgresql_cannot_store_does_not_break_an_upload(ingest: Ingest) -> None:
    metadata = json.dumps({"k\x00": ["v\x00", "\ud800", "ok"]})
    # By hand, as clients escape such names.
    body = (
        b'--b\r\ncontent-disposition: form-data; name="file"; filename="na\x00me.txt"\r\n\r\na\x00b\r\n'
        b'--b\r\ncontent-disposition: form-data; name="metadata"\r\n\r\n'
        + metadata.encode()
        + b"\r\n--b--\r\n"
    )
    response = await ingest.client.post(
        "/v1/collections/docs/documents",
        content=body,
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 202
    assert response.json()["title"] == "name.txt"
    assert response.json()["metadata"] == {"k": ["v", "", "ok"]}


async def test_an_external_id_is_one_line(ingest: Ingest) -> None:
    assert_problem(await ingest.send(b"x", external_id="a\x00b"), 422, "invalid_request")
    # Few enough characters, and more bytes than the index takes.
    assert_problem(await ingest.send(b"x", external_id="文" * 900), 422, "invalid_request")


async def test_a_file_that_is_too_large_is_refused_while_it_comes(
    ingest: Ingest, settings: IngestSettings
) -> None:
    settings.upload = UploadSettings(max_bytes=ByteSize(1000))
    assert (await ingest.send(b"x" * 1000)).status_code == 202
    assert_problem(await ingest.send(b"x" * 1001), 413, "too_large")
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        while True:
            sent += 65_536
            yield b"x" * 65_536

    response = await ingest.client.post(
        "/v1/collections/docs/documents",
        content=endless(),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert_problem(response, 413, "too_large")
    assert sent < 1_000_000


async def test_uploading_needs_a_collection(ingest: Ingest) -> None:
    assert_problem(await ingest.send(b"x", collection="none"), 404, "collection_not_found")


async def test_a_deleted_document_is_gone_with_its_bytes(ingest: Ingest, database: Database) -> None:
    document = await ingest.upload(b"to be deleted")
    assert (await ingest.client.delete(f"/v1/documents/{document}")).status_code == 204
    assert count(database, "SELECT count(*) FROM documents.document_blobs") == 0
    for path in ("", "/content", "/text"):
        assert_problem(await ingest.get(f"/v1/documents/{document}{path}"), 404, "document_not_found")
    assert_problem(await ingest.client.delete(f"/v1/documents/{document}"), 404, "document_not_found")
    assert (await ingest.send(b"to be deleted")).status_code == 202


async def test_html_is_shown_as_source(ingest: Ingest) -> None:
    document = await ingest.upload(b"<html><script>alert(1)</script>x", "a.html")
    response = await ingest.get(f"/v1/documents/{document}/content")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


async def test_the_text_is_not_there_before_the_document_was_read(ingest: Ingest) -> None:
    document = await ingest.upload(b"text")
    assert_problem(await ingest.get(f"/v1/documents/{document}/text"), 409, "not_indexed_yet")


async def test_a_document_in_work_is_not_queued_twice(ingest: Ingest, database: Database) -> None:
    document = await ingest.upload(b"text")
    response = await ingest.client.post(f"/v1/documents/{document}/retry")
    assert response.status_code == 202
    assert count(database, "SELECT count(*) FROM jobs.procrastinate_jobs") == 1


async def test_the_service_says_that_it_is_ready(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"ready": True, "missing": {}, "degraded": {}}
