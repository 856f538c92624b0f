"""Several people at work in the background while the test does something to the cluster."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from support.cluster.release import Release
from support.cluster.traffic.caller import Caller
from support.cluster.traffic.people import COLLECTION, KNOWN, Asker, Reader, Searcher, Uploader
from support.cluster.traffic.records import Ledger
from support.cluster.waiting import until

PERSON = "traffic"
ANSWER_SECONDS = 240.0


class Person(Protocol):
    """Somebody who goes on until told to stop."""

    async def work(self, stop: asyncio.Event) -> None: ...


class Traffic:
    """Uploads through the page and through ingest's API, searches, questions, history."""

    def __init__(self, release: Release, name: str) -> None:
        self.release = release
        self.ledger = Ledger()
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        signer = release.signer()

        def caller(component: str) -> Caller:
            return Caller(release.address(component), signer, PERSON, self.ledger)

        collection = f"collections/{COLLECTION}/documents"
        self._callers = [caller(c) for c in ("chat-ui", "ingest", "query", "chat-ui", "chat-ui", "chat-ui")]
        page, ingest, query, first, second, reading = self._callers
        self.uploaders = [
            Uploader(page, f"/api/{collection}", f"{name}-page"),
            Uploader(ingest, f"/v1/{collection}", f"{name}-api"),
        ]
        self.askers = [Asker(first), Asker(second)]
        self._people: list[Person] = [
            *self.uploaders,
            Searcher(query),
            *self.askers,
            Reader(reading, self.askers[0]),
        ]
        self._thread = threading.Thread(target=self._run, name=f"traffic {name}", daemon=True)
        self._broken: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends what is begun and waits for it: answers in progress are read to their end."""
        with suppress(RuntimeError):  # the loop is closed: somebody broke down, of which more below
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=2 * ANSWER_SECONDS)
        assert not self._thread.is_alive(), "the traffic did not end"
        if self._broken:
            raise self._broken
        self.ledger.ended = self.ledger.ended or self.ledger.records[-1].ended

    def more(self, kind: str, count: int = 1, *, seconds: float = 300) -> None:
        """Waits until so many more requests of a kind have succeeded than by now."""
        goal = self.ledger.succeeded(kind) + count

        def succeeded() -> int:
            assert self._thread.is_alive(), f"somebody broke down: {self._broken!r}"
            return self.ledger.succeeded(kind)

        until(
            succeeded,
            f"{count} more of {kind}",
            holds=lambda done: done >= goal,
            seconds=seconds,
            explain=lambda: f"{self.ledger.table()}\n{self.release.explain()}",
        )

    def flows(self) -> None:
        """Waits until every kind of request has succeeded once more."""
        for kind in ("upload", "search", "history", "answer"):
            self.more(kind)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._work())
        except BaseException as exc:
            self._broken = exc
        finally:
            self._loop.close()

    async def _work(self) -> None:
        jobs: list[Coroutine[Any, Any, None]] = [person.work(self._stop) for person in self._people]
        try:
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(job)
        finally:
            for caller in self._callers:
                await caller.aclose()


def prepare(release: Release) -> None:
    """The collection with what the people ask about, indexed."""
    release.serves("ingest", "query", "chat-ui")
    with release.client("ingest", PERSON) as client:
        client.put(f"/v1/collections/{COLLECTION}", json={}).raise_for_status()
        for name, text in KNOWN.items():
            files = {"file": (f"{name}.md", text.encode())}
            client.post(
                f"/v1/collections/{COLLECTION}/documents", data={"external_id": name}, files=files
            ).raise_for_status()

        def indexed() -> int:
            found = client.get(f"/v1/collections/{COLLECTION}").raise_for_status().json()
            return int(found["indexed_count"])

        until(
            indexed,
            "the documents that are asked about",
            holds=lambda count: count >= len(KNOWN),
            seconds=300,
            explain=release.explain,
        )


@contextmanager
def traffic(release: Release, name: str) -> Iterator[Traffic]:
    """People at work from when everything flows until the block ends; then `check` what was promised."""
    prepare(release)
    running = Traffic(release, name)
    running.start()
    try:
        running.flows()
        yield running
        running.flows()
    finally:
        running.stop()
