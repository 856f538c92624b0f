"""Asks a question and listens to the answer, over as many connections as it takes."""

import asyncio
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from pilothouse_chat_ui.messages.schemas import MessageOut
from pilothouse_chat_ui.runs.schemas import DoneEvent, ErrorEvent, SourcesEvent, TokenEvent
from pilothouse_chat_ui.selftest.failure import CHAT_UI, QUERY, Failure, beginning, reported
from pilothouse_chat_ui.selftest.page import PAUSE_SECONDS, Page
from pilothouse_chat_ui.selftest.report import Step

Event = TypeVar("Event", bound=BaseModel)
MAX_EVENT_BYTES = 8 * 1024 * 1024


class Listener:
    """Reads the stream of one answer; a connection that breaks is taken up again where it broke."""

    def __init__(self, page: Page, step: Step) -> None:
        self._page = page
        self._step = step
        self._text = ""
        self._last_id = ""
        self._breaks = 0

    async def ask(self, session_id: str, question: str) -> MessageOut:
        """The finished answer; what was streamed is what is stored."""
        path = f"/api/sessions/{session_id}/messages"
        async with self._page.stream("POST", path, QUERY, json={"content": question}) as response:
            run_id = response.headers.get("x-run-id")
            if not run_id:
                raise Failure("the answer to a question had no x-run-id", CHAT_UI)
            message = await self._listen(response)
        while message is None:
            self._breaks += 1
            self._tell()
            await asyncio.sleep(PAUSE_SECONDS)
            after = {"last-event-id": self._last_id} if self._last_id else {}
            events = self._page.stream("GET", f"/api/runs/{run_id}/events", CHAT_UI, headers=after)
            async with events as response:
                message = await self._listen(response)
        if message.status != "done":
            raise Failure(f"the answer ended as “{message.status}”", CHAT_UI)
        if self._text != message.content:
            raise Failure("the text that was streamed is not the text that was stored", CHAT_UI)
        return message

    async def _listen(self, response: httpx2.Response) -> MessageOut | None:
        """The answer, or None when the connection breaks before its end."""
        try:
            async for event in httpx2.EventSource(response, MAX_EVENT_BYTES):
                self._last_id = event.id or self._last_id
                message = self._heard(event)
                if message is not None:
                    return message
        except httpx2.SSEError as exc:
            raise Failure(f"the answer was not a stream of events ({exc})", CHAT_UI) from exc
        except httpx2.TransportError:
            return None
        except httpx2.HTTPError as exc:
            raise Failure(f"the answer cannot be decoded ({exc})", CHAT_UI) from exc
        return None

    def _heard(self, event: httpx2.ServerSentEvent) -> MessageOut | None:
        match event.event:
            case "sources":
                _understood(SourcesEvent, event)
                self._text = ""
            case "token":
                self._text += _understood(TokenEvent, event).text
            case "done":
                return _understood(DoneEvent, event).message
            case "error":
                failed = _understood(ErrorEvent, event)
                raise reported(failed.code, failed.detail, QUERY)
        self._tell()
        return None

    def _tell(self) -> None:
        broken = f", the connection broke {self._breaks} times" if self._breaks else ""
        self._step.seen = f"{len(self._text)} characters have come{broken}"


def _understood(model: type[Event], event: httpx2.ServerSentEvent) -> Event:
    try:
        return model.model_validate_json(event.data)
    except ValidationError as exc:
        seen = f"the event “{event.event}” was not understood; it began {beginning(event.data.encode())}"
        raise Failure(seen, CHAT_UI) from exc
