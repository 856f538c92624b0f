"""People who use the product without pause. Each remembers what was promised to them."""

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx2

from support.cluster.traffic.caller import Caller, Refused
from support.cluster.traffic.records import Ledger

COLLECTION = "traffic"
# Between two things that somebody does: it sets how many requests a second there are.
BREATH = 0.25
STREAM_PATIENCE = 240.0
GONE = (404, 410)
LONGEST_BACKOFF = 8.0

# What the searcher and the askers are sure to find.
KNOWN = {
    "lighthouse": "The lighthouse of Kap Arbo is 41 metres high. Its lamp was lit first in 1897.",
    "ferry": "The ferry to Lindholm leaves at seven in the morning. Bicycles travel free of charge.",
    "archive": "The town archive keeps letters for ninety years. Copies cost two crowns a page.",
}
QUESTIONS = (
    "How high is the lighthouse of Kap Arbo?",
    "When does the ferry to Lindholm leave?",
    "How long does the town archive keep letters?",
)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A document that was accepted."""

    id: str
    external_id: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(slots=True)
class Asked:
    """A question that was accepted; `answer` is what its stream ended with."""

    session: str
    question_id: str
    answer_id: str
    question: str
    text: str = ""
    answer: dict[str, Any] | None = None


@dataclass
class Uploader:
    """Adds a small document after the other. One that was refused is tried again, as a person does."""

    caller: Caller
    path: str
    name: str
    accepted: list[Uploaded] = field(default_factory=list)

    async def work(self, stop: asyncio.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            external_id = f"{self.name}-{number}"
            text = f"# Note {external_id}\n\nThe password of note {external_id} is {self.word(number)}.\n"
            while not await self._upload(external_id, text.encode()) and not stop.is_set():
                await breathe(stop)
            await breathe(stop)

    def word(self, number: int) -> str:
        """A word that stands in no other document."""
        return "w" + hashlib.sha256(f"{self.name} {number}".encode()).hexdigest()[:12]

    async def _upload(self, external_id: str, content: bytes) -> bool:
        form = {"external_id": external_id}
        files = {"file": (f"{external_id}.md", content)}
        try:
            response = await self.caller.call("upload", "POST", self.path, data=form, files=files)
        except Refused:
            return False
        self.accepted.append(Uploaded(response.json()["id"], external_id, content))
        return True


@dataclass
class Searcher:
    """Searches for what is there and looks whether it is found."""

    caller: Caller

    async def work(self, stop: asyncio.Event) -> None:
        ledger = self.caller.ledger
        while not stop.is_set():
            body = {"query": QUESTIONS[0], "collections": [COLLECTION], "top_k": 3}
            started = time.monotonic()
            try:
                response = await self.caller.call("search", "POST", "/v1/search", json=body)
                if not any("41 metres" in found["text"] for found in response.json()["results"]):
                    ledger.add("search", started, 200, f"not found: {response.text[:300]}")
            except Refused:
                pass
            await breathe(stop)


@dataclass
class Asker:
    """Asks one question after the other and reads each answer to its end, as the page does."""

    caller: Caller
    asked: list[Asked] = field(default_factory=list)
    # Sessions in which something may have been stored that was never confirmed.
    doubtful: set[str] = field(default_factory=set)

    async def work(self, stop: asyncio.Event) -> None:
        session = ""
        while not stop.is_set():
            try:
                # A few questions in each chat, so that there are many chats too.
                if not session or len(self.asked) % len(QUESTIONS) == 0:
                    body = {"collection": COLLECTION}
                    made = await self.caller.call("session", "POST", "/api/sessions", json=body)
                    session = made.json()["id"]
                await self._ask(session, QUESTIONS[len(self.asked) % len(QUESTIONS)])
            except Refused:
                self.doubtful.add(session)
                session = ""
            await breathe(stop)

    async def _ask(self, session: str, question: str) -> None:
        path = f"/api/sessions/{session}/messages"
        async with self.caller.stream("ask", "POST", path, json={"content": question}) as response:
            asked = Asked(
                session,
                response.headers["x-user-message-id"],
                response.headers["x-assistant-message-id"],
                question,
            )
            self.asked.append(asked)
            await _Reading(self.caller, asked, response.headers["x-run-id"]).to_the_end(response)


class _Reading:
    """One answer's stream, opened again after the last event that was seen whenever it breaks."""

    def __init__(self, caller: Caller, asked: Asked, run: str) -> None:
        self._caller = caller
        self._ledger: Ledger = caller.ledger
        self._asked = asked
        self._run = run
        self._seen = ""
        self._error = ""

    async def to_the_end(self, response: httpx2.Response) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(STREAM_PATIENCE):
                over = await self._read(response)
                attempt = 0
                while not over:
                    self._ledger.count("stream opened again")
                    await asyncio.sleep(min(0.5 * 2**attempt, LONGEST_BACKOFF))
                    attempt += 1
                    over = await self._again()
        except TimeoutError:
            self._error = f"no end after {STREAM_PATIENCE:.0f} s"
        self._ledger.add("answer", started, 200, self._error)

    async def _again(self) -> bool:
        headers = {"last-event-id": self._seen} if self._seen else {}
        try:
            response = await self._caller.quietly("GET", f"/api/runs/{self._run}/events", headers=headers)
        except httpx2.TransportError:
            return False
        try:
            if response.status_code in GONE:
                self._error = f"the answer is not known any more ({response.status_code})"
                return True
            return response.is_success and await self._read(response)
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response) -> bool:
        """Whether the answer has ended, in whatever way."""
        try:
            async for event in httpx2.EventSource(response):
                self._seen = event.id or self._seen
                data = json.loads(event.data)
                if event.event == "sources":
                    self._asked.text = ""
                elif event.event == "token":
                    self._asked.text += data["text"]
                elif event.event in ("done", "error"):
                    self._asked.answer = data["message"]
                    self._error = f"{data['code']}: {data['detail']}" if event.event == "error" else ""
                    return True
        except httpx2.TransportError:
            self._ledger.count("stream cut")
        return False


@dataclass
class Reader:
    """Looks through the chats of an asker, as the page does when it is opened."""

    caller: Caller
    asker: Asker

    async def work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.caller.call("history", "GET", "/api/sessions")
                if self.asker.asked:
                    session = self.asker.asked[-1].session
                    await self.caller.call("history", "GET", f"/api/sessions/{session}/messages")
            except Refused:
                pass
            await breathe(stop)


async def breathe(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(BREATH):
            await stop.wait()
    except TimeoutError:
        pass
