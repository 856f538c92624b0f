"""A query service that says what a test tells it to, step by step."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.types import Receive, Scope, Send

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Say:
    """One chunk of the stream."""

    chunk: Json | str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing more until the test opens the gate."""

    gate: asyncio.Event


@dataclass(frozen=True, slots=True)
class Refuse:
    """An answer with another status, before any stream."""

    status: int
    body: Json


@dataclass(frozen=True, slots=True)
class Die:
    """The connection breaks without an end."""


Step: TypeAlias = Say | Wait | Refuse | Die


def source(n: int, text: str = "Set E-4017 back with the green key.", *, chunk: str | None = None) -> Json:
    return {
        "n": n,
        "chunk_id": chunk or f"chunk-{n}",
        "document_id": f"document-{n}",
        "collection": "handbook",
        "title": f"Page {n}",
        "text": text,
        "start": 10,
        "end": 10 + len(text),
        "page": None,
        "heading": None,
        "score": 0.5,
    }


def citation(n: int) -> Json:
    passage = source(n)
    return {key: passage[key] for key in passage if key not in ("text", "heading")} | {
        "quote": passage["text"]
    }


def sources(*passages: Json) -> Say:
    delta = {"role": "assistant", "content": ""}
    return Say({"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "sources": list(passages)})


def token(text: str) -> Say:
    return Say({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})


def end(*citations: Json, unsupported: Sequence[tuple[int, int]] = (), status: str = "answered") -> Say:
    return Say(
        {
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "citations": list(citations),
            "grounding": {
                "status": status,
                "sentences": 2,
                "supported": 1,
                "unsupported": [{"start": start, "end": stop} for start, stop in unsupported],
                "model": "small-model",
                "search": {
                    "query": "q",
                    "mode": "hybrid",
                    "collections": ["handbook"],
                    "timings_ms": {"total": 1.5},
                },
            },
        }
    )


DONE = Say("[DONE]")


def plain(*texts: str) -> list[Step]:
    """Two sources, the texts as tokens, one citation."""
    return [sources(source(1), source(2)), *(token(text) for text in texts), end(citation(1)), DONE]


@dataclass(slots=True)
class ScriptedQuery:
    """An ASGI app; every request takes the next script, the last one serves all that follow."""

    scripts: list[list[Step]] = field(default_factory=lambda: [plain("Press ", "the green key [1].")])
    requests: list[Json] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    # Set when a client went away before its script was over.
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        """As new, for the next test; requests that still run belong to the one before."""
        fresh = ScriptedQuery()
        self.scripts, self.requests, self.headers = fresh.scripts, fresh.requests, fresh.headers
        self.abandoned, self.arrived = fresh.abandoned, fresh.arrived

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        if scope["path"] == "/v1/status":
            await _json(send, 200, {"model": {"name": "small-model", "available": True}})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.requests.append(json.loads(body))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.arrived.set()
        await self._play(script, receive, send)

    async def _play(self, script: list[Step], receive: Receive, send: Send) -> None:
        if script and isinstance(script[0], Refuse):
            await _json(send, script[0].status, script[0].body)
            return
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        abandoned = self.abandoned
        gone = asyncio.ensure_future(_disconnected(receive))
        for step in script:
            match step:
                case Say(chunk):
                    data = chunk if isinstance(chunk, str) else json.dumps(chunk)
                    body = f"data: {data}\n\n".encode()
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                case Wait(gate):
                    opened = asyncio.create_task(gate.wait())
                    await asyncio.wait([gone, opened], return_when=asyncio.FIRST_COMPLETED)
                    opened.cancel()
                    if gone.done():
                        abandoned.set()
                        return
                case Die():
                    gone.cancel()
                    raise ConnectionAbortedError("as the script says")
        gone.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _json(send: Send, status: int, body: Json) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
