"""A backup in an object store, an accident, and a new release that begins at the moment before it."""

import time

import httpx2
import pytest

from cluster.conftest import NewNamespace
from cluster.drill.conftest import BARMAN, store_secret
from support.charts.helm import ROOT
from support.cluster.database import Database
from support.cluster.figures import Figures
from support.cluster.kubectl import Namespace, Object
from support.cluster.release import Release
from support.cluster.waiting import until

pytestmark = pytest.mark.timeout(3000)

PERSON = "librarian"
QUESTION = "What happens to a document if the machine loses power during ingestion?"


@pytest.fixture(scope="module")
def namespace(new_namespace: NewNamespace, object_store: str) -> Namespace:
    namespace = new_namespace("restore")
    namespace.apply(store_secret())
    return namespace


@pytest.fixture(scope="module")
def store(object_store: str) -> Object:
    # A folder of its own for each run: a backup is never written over another.
    path = f"s3://backups/drill-{time.time_ns()}"
    return {"destinationPath": path, "endpointURL": object_store, "s3": {"existingSecret": "backup-store"}}


@pytest.fixture(scope="module")
def original(namespace: Namespace, store: Object) -> Release:
    """A release in use, with a backup."""
    database = {"image": BARMAN, "backup": {"method": "barmanObjectStore", "store": store}}
    release = Release(namespace, "original", values={"database": database})
    release.install(seconds=900)
    use(release)
    until(
        lambda: [b.get("status", {}).get("phase") for b in namespace.list("backups.postgresql.cnpg.io")],
        "a completed backup",
        holds=lambda phases: "completed" in phases,
        seconds=600,
        explain=release.explain,
    )
    return release


def use(release: Release) -> None:
    """The samples as documents, and a question about them that is answered."""
    with release.client("chat-ui", PERSON) as page:
        page.put("/api/collections/library", json={}).raise_for_status()
        for path in sorted((ROOT / "samples").glob("*.*")):
            page.post("/api/collections/library/documents", files={"file": (path.name, path.read_bytes())})
        until(
            lambda: page.get("/api/collections/library").raise_for_status().json(),
            "the samples indexed",
            holds=lambda found: found["indexed_count"] == found["document_count"] > 0,
            seconds=600,
            explain=release.explain,
        )
    assert ask(release)["citations"]


def ask(release: Release) -> Object:
    """A new chat with one question; its answer."""
    with release.client("chat-ui", PERSON) as page:
        page.timeout = httpx2.Timeout(300)
        session = page.post("/api/sessions", json={"collection": "library"}).raise_for_status().json()["id"]
        page.post(f"/api/sessions/{session}/messages", json={"content": QUESTION}).raise_for_status()
        answer: Object = page.get(f"/api/sessions/{session}/messages").raise_for_status().json()["items"][-1]
        return answer


def seen(release: Release) -> Object:
    """All that the person has: documents with their bytes, chats with their messages, what a search finds."""
    with release.client("chat-ui", PERSON) as page, release.client("query", PERSON) as query:
        documents = (
            page.get("/api/collections/library/documents?limit=200").raise_for_status().json()["items"]
        )
        sessions = page.get("/api/sessions").raise_for_status().json()["items"]
        found = query.post("/v1/search", json={"query": QUESTION, "mode": "dense", "rerank": False})
        return {
            "documents": documents,
            "originals": {d["id"]: page.get(f"/api/documents/{d['id']}/content").content for d in documents},
            "sessions": {
                s["id"]: page.get(f"/api/sessions/{s['id']}/messages").json()["items"] for s in sessions
            },
            "found": [result["chunk_id"] for result in found.raise_for_status().json()["results"]],
        }


def test_everything_is_back_as_it_was_before_the_accident(
    namespace: Namespace, store: Object, original: Release, figures: Figures
) -> None:
    database = Database(original)
    before, rows = seen(original), database.counts()
    moment = database.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    accident(original, before)
    assert seen_after(original) != before
    # What is not archived yet is only on the disk that the accident happened to.
    database.sql("SELECT pg_switch_wal()")

    started = time.monotonic()
    recovery = {
        "method": "barmanObjectStore",
        "store": store,
        "serverName": database.name,
        "target": {"targetTime": moment},
    }
    values = {"database": {"image": BARMAN, "bootstrap": {"mode": "recovery", "recovery": recovery}}}
    restored = Release(namespace, "restored", values=values)
    restored.install(seconds=900)
    answer = ask_when_ready(restored)
    minutes = round((time.monotonic() - started) / 60, 2)

    after = Database(restored).counts()
    lost = {table: rows[table] - after.get(table, 0) for table in rows if after.get(table, 0) < rows[table]}
    figures.add(
        "restore",
        "collection and session deleted, back to the moment before",
        minutes=minutes,
        rows=sum(rows.values()),
        **{"rows lost": sum(lost.values())},
    )
    now = seen(restored)
    now["sessions"].pop(answer["session_id"])
    assert now == before
    assert answer["citations"]
    assert lost == {}


def accident(release: Release, before: Object) -> None:
    with release.client("chat-ui", PERSON) as page:
        page.delete("/api/collections/library").raise_for_status()
        page.delete(f"/api/sessions/{next(iter(before['sessions']))}").raise_for_status()


def seen_after(release: Release) -> Object:
    with release.client("chat-ui", PERSON) as page:
        assert page.get("/api/collections/library").status_code == 404
        return {"sessions": page.get("/api/sessions").raise_for_status().json()["items"]}


def ask_when_ready(release: Release) -> Object:
    release.serves("chat-ui", "query", "ingest")
    return ask(release)
