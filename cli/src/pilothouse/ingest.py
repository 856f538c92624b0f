"""`pilothouse ingest`: uploads files and waits until each is searchable or has failed."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from rich.markup import escape

from pilothouse.client import TIMEOUT, Addresses, headers, reason, unreachable
from pilothouse.files import select, skipped_words
from pilothouse.output import err, fail, out, plain, plural, seconds
from pilothouse.progress import progress_over

_UPLOADS_AT_ONCE = 8
_BUSY = {429, 503}
_ATTEMPTS = 6
_PAUSE_SECONDS = 1.0
# Events arrive at once; asking again covers those lost while the stream was down.
_RECONCILE_SECONDS = 3.0

Report = Callable[[int], None]


@dataclass
class Outcome:
    """What became of the files."""

    indexed: int = 0
    chunks: int = 0
    known: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def ingest(paths: Sequence[Path], *, collection: str, addresses: Addresses) -> int:
    """Upload, wait, print a summary; the exit status is 1 when any file failed."""
    try:
        selection = select(paths)
    except FileNotFoundError as exc:
        fail(f"There is no file or folder {exc.args[0]}.", code=2)
    if selection.skipped:
        err.print(escape(skipped_words(selection.skipped)), style="dim")
    if not selection.files:
        out.print("There is nothing to ingest.")
        return 0
    began = time.monotonic()
    with progress_over(len(selection.files)) as progress:
        run = IngestRun(collection, addresses.ingest, report=progress.advance)
        try:
            outcome = asyncio.run(run.ingest(selection.files))
        except httpx2.TransportError as error:
            unreachable(error)
    _summarize(outcome, collection, time.monotonic() - began)
    return 1 if outcome.failures else 0


class IngestRun:
    """One upload of many files into one collection."""

    def __init__(
        self,
        collection: str,
        base_url: str,
        *,
        report: Report,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._collection = collection
        self._base_url = base_url
        self._report = report
        self._transport = transport
        self._outcome = Outcome()
        # Document id → the file it came from, until it is indexed or failed.
        self._pending: dict[str, str] = {}
        # Final states that arrived before the upload's own answer did.
        self._early: dict[str, dict[str, Any]] = {}
        self._settled: set[str] = set()
        self._all_settled = asyncio.Event()

    async def ingest(self, files: Sequence[Path]) -> Outcome:
        """Upload all files and wait for them. Raises httpx2.TransportError when the service is away."""
        async with httpx2.AsyncClient(
            base_url=self._base_url,
            timeout=TIMEOUT,
            headers=headers(),
            trust_env=False,
            transport=self._transport,
        ) as client:
            await self._ensure_collection(client)
            listening = asyncio.create_task(self._listen(client))
            try:
                limit = asyncio.Semaphore(_UPLOADS_AT_ONCE)
                await asyncio.gather(*(self._upload(client, file, limit) for file in files))
                # From here on the set only shrinks.
                self._all_settled.clear()
                while self._pending:
                    await self._reconcile(client)
                    await self._wait_for_news()
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        return self._outcome

    async def _ensure_collection(self, client: httpx2.AsyncClient) -> None:
        path = f"/v1/collections/{self._collection}"
        found = await client.get(path)
        if found.status_code == 404:
            found = await client.put(path, json={})
        if found.is_error:
            fail(f"The collection {self._collection} cannot be used: {reason(found)}")

    async def _upload(self, client: httpx2.AsyncClient, file: Path, limit: asyncio.Semaphore) -> None:
        async with limit:
            try:
                response = await self._post(client, file)
            except OSError as exc:
                self._failed(_shown(file), f"cannot be read: {exc.strerror}")
                return
            except UnicodeEncodeError:
                self._failed(_shown(file), "its name is not UTF-8; rename it")
                return
        if response.is_error:
            self._failed(_shown(file), reason(response))
            return
        document = response.json()
        if document["id"] in self._pending or document["id"] in self._settled:
            # Two of the files hold the same bytes, which makes them one document.
            self._outcome.known += 1
            self._finished()
            return
        self._pending[document["id"]] = _shown(file)
        if response.status_code == 200 and document["status"] == "indexed":
            self._outcome.known += 1
            self._settle(document, known=True)
        else:
            self._settle(self._early.pop(document["id"], document))

    async def _post(self, client: httpx2.AsyncClient, file: Path) -> httpx2.Response:
        """Uploading twice is safe, so a busy or absent service is asked again, later each time."""
        for attempt in range(1, _ATTEMPTS):
            pause = attempt * _PAUSE_SECONDS
            with contextlib.suppress(httpx2.TransportError):
                response = await self._post_once(client, file)
                if response.status_code not in _BUSY:
                    return response
                pause = float(response.headers.get("retry-after", pause))
            await asyncio.sleep(min(30.0, pause))
        return await self._post_once(client, file)

    async def _post_once(self, client: httpx2.AsyncClient, file: Path) -> httpx2.Response:
        with file.open("rb") as content:
            return await client.post(
                f"/v1/collections/{self._collection}/documents",
                files={"file": (file.name, content)},
                # A changed file then replaces its older version.
                data={"external_id": file.as_posix()},
            )

    async def _listen(self, client: httpx2.AsyncClient) -> None:
        """Follow the collection's events; a broken stream is opened again."""
        while True:
            with contextlib.suppress(httpx2.TransportError):
                await self._read_events(client)
            await asyncio.sleep(1.0)

    async def _read_events(self, client: httpx2.AsyncClient) -> None:
        url = f"/v1/collections/{self._collection}/events"
        async with client.stream("GET", url) as response:
            if response.is_error:
                return
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    self._on_event(line.removeprefix("data:").strip())

    def _on_event(self, data: str) -> None:
        document = _document(data)
        if document is None:
            return
        if document["id"] in self._pending:
            self._settle(document)
        elif document["status"] in {"indexed", "failed"} and document["id"] not in self._settled:
            self._early[document["id"]] = document

    async def _wait_for_news(self) -> None:
        """Until all are finished, or until it is time to ask again."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_settled.wait(), _RECONCILE_SECONDS)

    async def _reconcile(self, client: httpx2.AsyncClient) -> None:
        """Ask for the oldest documents that are still awaited."""
        for document_id in list(self._pending)[:50]:
            if document_id not in self._pending:
                continue
            response = await client.get(f"/v1/documents/{document_id}")
            if response.status_code == 404:
                self._failed(self._pending.pop(document_id), "was deleted while it was processed")
            elif not response.is_error:
                self._settle(response.json())

    def _settle(self, document: dict[str, Any], *, known: bool = False) -> None:
        """Take note of a document that is finished."""
        document_id, status = document["id"], document["status"]
        if status not in {"indexed", "failed"} or document_id not in self._pending:
            return
        file = self._pending.pop(document_id)
        self._settled.add(document_id)
        if status == "failed":
            error = document.get("error") or {}
            self._failed(file, error.get("detail") or "no reason was given")
            return
        if not known:
            self._outcome.indexed += 1
            self._outcome.chunks += document["chunk_count"]
        self._finished()

    def _failed(self, file: str, why: str) -> None:
        self._outcome.failures[file] = why
        self._finished()

    def _finished(self) -> None:
        self._report(1)
        if not self._pending:
            self._all_settled.set()


def _shown(file: Path) -> str:
    """The file's name as it can be printed: names on disk may hold any bytes."""
    return plain(os.fsencode(file).decode(errors="replace"))


def _document(data: str) -> dict[str, Any] | None:
    """The document in an event; None for other events."""
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return body if isinstance(body, dict) and "status" in body and "id" in body else None


def _summarize(outcome: Outcome, collection: str, duration: float) -> None:
    line = f"{plural(outcome.indexed, 'document')} indexed in {collection}"
    if outcome.indexed:
        line += (
            f" ({plural(outcome.chunks, 'passage')}) in {seconds(duration)}: "
            f"{outcome.indexed / duration:.1f} documents/s, {outcome.chunks / duration:.1f} passages/s"
        )
    out.print(line)
    if outcome.known:
        out.print(f"{plural(outcome.known, 'file')} with the same content as an indexed one")
    if outcome.failures:
        err.print(f"[bold red]{plural(len(outcome.failures), 'file')} failed:[/]")
        for file, why in sorted(outcome.failures.items()):
            err.print(f"  {escape(file)}: {escape(why)}")
