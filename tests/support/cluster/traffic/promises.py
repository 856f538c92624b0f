"""Looks whether everything that was promised to people is there, whole and once."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx2

from support.cluster.traffic.people import COLLECTION, Asked, Uploaded
from support.cluster.traffic.traffic import PERSON, Traffic
from support.cluster.waiting import until


@dataclass(slots=True)
class Promises:
    """What became of everything that was acknowledged."""

    uploads: int = 0
    messages: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        return [*self.lost, *self.wrong, *self.twice]

    def figures(self) -> dict[str, Any]:
        counts = asdict(self)
        return {name: len(value) if isinstance(value, list) else value for name, value in counts.items()}


def check(traffic: Traffic) -> Promises:
    """Asks the services themselves, once all jobs are done."""
    promises = Promises()
    uploads = [document for uploader in traffic.uploaders for document in uploader.accepted]
    with traffic.release.client("ingest", PERSON) as ingest, traffic.release.client("query", PERSON) as query:
        _wait_for_jobs(traffic, ingest)
        listed = _all(ingest, f"/v1/collections/{COLLECTION}/documents")
        names = Counter(document["external_id"] for document in listed)
        promises.twice += [f"document {name} {count} times" for name, count in names.items() if count > 1]
        for document in uploads:
            promises.uploads += 1
            _check_document(promises, document, ingest, query)
    with traffic.release.client("chat-ui", PERSON) as page:
        for asker in traffic.askers:
            for session in {asked.session for asked in asker.asked}:
                asked = [one for one in asker.asked if one.session == session]
                _check_session(promises, asked, session in asker.doubtful, page)
    return promises


def _wait_for_jobs(traffic: Traffic, ingest: httpx2.Client) -> None:
    def unfinished() -> int:
        found = ingest.get(f"/v1/collections/{COLLECTION}").raise_for_status().json()
        return int(found["document_count"] - found["indexed_count"] - found["failed_count"])

    until(
        unfinished,
        "all documents processed",
        holds=lambda count: count == 0,
        seconds=600,
        explain=traffic.release.explain,
    )


def _check_document(
    promises: Promises, document: Uploaded, ingest: httpx2.Client, query: httpx2.Client
) -> None:
    answer = ingest.get(f"/v1/documents/{document.id}")
    if answer.status_code == 404:
        promises.lost.append(f"document {document.external_id} {document.id}")
        return
    found = answer.raise_for_status().json()
    if found["status"] != "indexed" or found["sha256"] != document.sha256:
        promises.wrong.append(f"document {document.external_id}: {found}")
        return
    if ingest.get(f"/v1/documents/{document.id}/content").raise_for_status().content != document.content:
        promises.wrong.append(f"document {document.external_id}: other bytes than were sent")
    word = document.content.decode().rpartition(" ")[2].strip(" .\n")
    body = {"query": word, "collections": [COLLECTION], "mode": "lexical", "top_k": 5}
    hits = query.post("/v1/search", json=body).raise_for_status().json()["results"]
    if [hit["document_id"] for hit in hits] != [document.id]:
        promises.wrong.append(f"document {document.external_id}: search finds {hits}")


def _check_session(promises: Promises, asked: list[Asked], doubtful: bool, page: httpx2.Client) -> None:
    answer = page.get(f"/api/sessions/{asked[0].session}/messages", params={"limit": 500})
    if answer.status_code == 404:
        promises.messages += 2 * len(asked)
        promises.lost += [f"session {asked[0].session} with {len(asked)} questions"]
        return
    messages = answer.raise_for_status().json()["items"]
    by_id = {message["id"]: message for message in messages}
    for one in asked:
        promises.messages += 2
        _check_message(promises, by_id, one.question_id, one.question)
        _check_message(promises, by_id, one.answer_id, one.answer["content"] if one.answer else None)
        if one.answer and one.answer["content"] != one.text:
            promises.wrong.append(
                f"answer {one.answer_id}: streamed {one.text!r}, kept {one.answer['content']!r}"
            )
    # A question whose acceptance was never heard of may be there all the same.
    if len(messages) > 2 * len(asked) and not doubtful:
        promises.twice.append(f"session {asked[0].session}: {len(messages)} messages, {2 * len(asked)} known")


def _check_message(promises: Promises, there: dict[str, Any], wanted: str, content: str | None) -> None:
    if wanted not in there:
        promises.lost.append(f"message {wanted}")
    elif there[wanted]["status"] == "running" or (
        content is not None and there[wanted]["content"] != content
    ):
        promises.wrong.append(f"message {wanted}: {there[wanted]['status']} {there[wanted]['content']!r}")


def _all(client: httpx2.Client, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (
            client.get(path, params={"limit": 200} | ({"cursor": cursor} if cursor else {}))
            .raise_for_status()
            .json()
        )
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items
