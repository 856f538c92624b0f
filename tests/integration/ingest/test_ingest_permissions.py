"""Two people: nobody sees, reads or changes what they may not, and 404 does not tell that it exists."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from pilothouse_core.auth import Authenticator, Principal
from pilothouse_ingest.settings import IngestSettings
from support.ingest import Ingest
from support.ingest_api import open_api

ANN, BOB, CAROL = Principal("ann"), Principal("bob", ("staff",)), Principal("carol")


@pytest.fixture
async def people(settings: IngestSettings) -> AsyncIterator[tuple[Ingest, Ingest, Ingest]]:
    """The API in token mode, as Ann, Bob (of the group staff) and Carol see it."""
    settings.auth = settings.auth.model_copy(update={"mode": "token"})
    signer = Authenticator(settings.auth)
    async with open_api(settings) as client:
        ann = Ingest(client, signer.headers(ANN))
        yield ann, replace(ann, headers=signer.headers(BOB)), replace(ann, headers=signer.headers(CAROL))


def code(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


async def test_without_a_token_nothing_is_answered(people: tuple[Ingest, Ingest, Ingest]) -> None:
    nobody = replace(people[0], headers={})
    assert code(await nobody.get("/v1/collections")) == (401, "unauthenticated")
    assert code(await nobody.send(b"x")) == (401, "unauthenticated")
    assert (await nobody.get("/livez")).status_code == 200


async def test_a_private_collection_does_not_exist_for_others(people: tuple[Ingest, Ingest, Ingest]) -> None:
    ann, bob, _ = people
    await ann.make_collection("private", access={"readers": [], "writers": []})
    document = await ann.upload(b"secret", collection="private")
    assert (await ann.get(f"/v1/documents/{document}/content")).text == "secret"
    assert (await bob.get("/v1/collections")).json()["items"] == []
    for path in ("", "/documents", "/events"):
        answer = await bob.get(f"/v1/collections/private{path}")
        assert code(answer) == (404, "collection_not_found")
    for path in ("", "/content", "/text"):
        assert code(await bob.get(f"/v1/documents/{document}{path}")) == (404, "document_not_found")
    assert code(await bob.send(b"x", collection="private")) == (404, "collection_not_found")
    client = bob.client
    answers = [
        await client.delete(f"/v1/documents/{document}", headers=bob.headers),
        await client.post(f"/v1/documents/{document}/retry", headers=bob.headers),
    ]
    assert [code(answer) for answer in answers] == [(404, "document_not_found")] * 2
    removed = await client.delete("/v1/collections/private", headers=bob.headers)
    assert code(removed) == (404, "collection_not_found")
    taken = await client.put("/v1/collections/private", headers=bob.headers)
    assert code(taken) == (409, "collection_name_taken")


async def test_readers_read_and_writers_write(people: tuple[Ingest, Ingest, Ingest]) -> None:
    ann, bob, carol = people
    await ann.make_collection("shared", access={"readers": ["group:staff"], "writers": ["user:carol"]})
    document = await ann.upload(b"for staff", collection="shared")
    assert (await bob.get(f"/v1/documents/{document}/content")).text == "for staff"
    assert code(await bob.send(b"x", collection="shared")) == (403, "collection_read_only")
    deleted = await bob.client.delete(f"/v1/documents/{document}", headers=bob.headers)
    assert code(deleted) == (403, "collection_read_only")
    assert (await carol.send(b"from carol", collection="shared")).status_code == 202
    assert code(await carol.get(f"/v1/documents/{document}/content")) == (404, "document_not_found")
    assert code(await carol.get("/v1/collections/shared/documents")) == (404, "collection_not_found")
    gone = await carol.client.delete(f"/v1/documents/{document}", headers=carol.headers)
    assert gone.status_code == 204


async def test_only_the_owner_changes_a_collection(people: tuple[Ingest, Ingest, Ingest]) -> None:
    ann, bob, _ = people
    await ann.make_collection("open")
    path, headers = "/v1/collections/open", bob.headers
    opened = await bob.client.put(path, json={"access": {"readers": ["user:bob"]}}, headers=headers)
    assert code(opened) == (403, "not_collection_owner")
    assert code(await bob.client.delete(path, headers=headers)) == (403, "not_collection_owner")
    assert (await ann.client.delete(path, headers=ann.headers)).status_code == 204


async def test_changing_who_reads_leaves_who_writes(people: tuple[Ingest, Ingest, Ingest]) -> None:
    ann, _, _ = people
    await ann.make_collection("team", access={"readers": ["everyone"], "writers": ["group:staff"]})
    changed = await ann.make_collection("team", access={"readers": ["user:carol"]})
    assert changed["access"] == {"readers": ["user:carol"], "writers": ["group:staff"]}


async def test_a_right_taken_away_is_gone_at_once(people: tuple[Ingest, Ingest, Ingest]) -> None:
    ann, bob, _ = people
    await ann.make_collection("team", access={"readers": ["user:bob"], "writers": []})
    document = await ann.upload(b"text", collection="team")
    assert (await bob.get(f"/v1/documents/{document}")).status_code == 200
    await ann.make_collection("team", access={"readers": [], "writers": []})
    assert code(await bob.get(f"/v1/documents/{document}")) == (404, "document_not_found")
