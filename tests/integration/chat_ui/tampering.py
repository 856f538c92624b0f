"""Stands before a service and changes some of its answers on their way."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")
Answer: TypeAlias = Callable[[Send], Awaitable[None]]


@dataclass(slots=True)
class Tampering:
    """`instead` maps `METHOD path` (an expression) to another answer."""

    app: ASGIApp
    instead: dict[str, Answer] = field(default_factory=dict)
    # What to put before the bodies of answers.
    put_before: dict[str, bytes] = field(default_factory=dict)
    # How many streams still break right after an event.
    cuts: int = 0
    seen: list[str] = field(default_factory=list)
    # Last-Event-ID of each request that had one.
    resumed_after: list[str] = field(default_factory=list)

    def reset(self) -> None:
        """Nothing is changed any more."""
        self.instead, self.cuts, self.put_before = {}, 0, {}
        self.seen, self.resumed_after = [], []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        call = f"{scope['method']} {scope['path']}"
        self.seen.append(call)
        headers = dict(scope["headers"])
        if b"last-event-id" in headers:
            self.resumed_after.append(headers[b"last-event-id"].decode())
        answer = _matching(self.instead, call)
        if answer is not None:
            await answer(send)
            return
        prefix = _matching(self.put_before, call) or b""

        async def changing(message: Message) -> None:
            body = message.get("body", b"")
            if prefix and message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                message = {**message, "headers": kept}
            elif prefix and body:
                message = {**message, "body": prefix + body}
            await send(message)
            if self.cuts and b"event: " in body:
                self.cuts -= 1
                raise ConnectionAbortedError("as the test says")

        await self.app(scope, receive, changing)


def _matching(patterns: dict[str, T], call: str) -> T | None:
    return next((value for pattern, value in patterns.items() if re.fullmatch(pattern, call)), None)


def says(body: bytes, *, status: int = 200, kind: str = "application/json") -> Answer:
    """An answer with this body."""

    async def answer(send: Send) -> None:
        headers = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


HTML = says(b"<html>\n<body>Sign in</body></html>", kind="text/html")
EVENTS = "text/event-stream"
