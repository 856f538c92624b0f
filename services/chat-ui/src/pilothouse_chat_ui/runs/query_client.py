"""The query service as the source of answers, in OpenAI's streaming format with our additions."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Protocol

import httpx2
import structlog
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from pilothouse_chat_ui.messages.models import Json
from pilothouse_chat_ui.messages.schemas import Citation, Grounding, Source
from pilothouse_chat_ui.runs.answer import Final, Part, Sources, Token
from pilothouse_chat_ui.text import clean
from pilothouse_core.auth import Authenticator, Principal

log = structlog.get_logger()

# Passages and citations come in one event each; an answer's text never gets near this.
MAX_EVENT_BYTES = 8 * 1024 * 1024
# Refusals that last until somebody changes the installation; every replica gives them.
LASTING = {"database_not_migrated", "embedding_dimension_differs", "embedding_space_missing"}

_SOURCES = TypeAdapter(list[Source])
_CITATIONS = TypeAdapter(list[Citation])


class AnswerFailed(Exception):
    """The answer could not be made, or not to its end; the words are for the person who asked.

    `lost` says that the service was not there, or went away: another attempt may find another replica.
    """

    def __init__(self, code: str, title: str, detail: str, *, lost: bool = False) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.title = title
        self.detail = detail
        self.lost = lost


class AnswerSource(Protocol):
    """What makes answers."""

    def answer(
        self, principal: Principal, *, collection: str | None, messages: list[Json], request_id: str
    ) -> AsyncGenerator[Part, None]:
        """The parts of an answer to the last message. Raises `AnswerFailed`."""
        ...


class QueryClient:
    """Asks the query service over HTTP; closing the iterator ends the work there."""

    def __init__(self, client: httpx2.AsyncClient, authenticator: Authenticator, *, retry: timedelta) -> None:
        self._client = client
        self._authenticator = authenticator
        self._retry = retry

    async def answer(
        self, principal: Principal, *, collection: str | None, messages: list[Json], request_id: str
    ) -> AsyncGenerator[Part, None]:
        deadline = time.monotonic() + self._retry.total_seconds()
        while True:
            begun = False
            asking = self._ask(principal, collection, messages, request_id)
            try:
                async with aclosing(asking) as parts:
                    async for part in parts:
                        begun = True
                        yield part
            except AnswerFailed as exc:
                if begun or not exc.lost or time.monotonic() >= deadline:
                    raise
                log.info("query_asked_again", code=exc.code)
            else:
                return
            await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311  not all at the same moment

    async def _ask(
        self, principal: Principal, collection: str | None, messages: list[Json], request_id: str
    ) -> AsyncGenerator[Part, None]:
        body = {
            "model": f"pilothouse/{collection}" if collection else "pilothouse",
            "messages": messages,
            "stream": True,
        }
        headers = {**self._authenticator.headers(principal), "x-request-id": request_id}
        try:
            async with self._client.stream(
                "POST", "/v1/chat/completions", json=body, headers=headers
            ) as response:
                if response.status_code != 200:
                    raise _refused(response.status_code, await response.aread(), collection)
                async for part in read_stream(httpx2.EventSource(response, MAX_EVENT_BYTES)):
                    yield part
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as exc:
            log.warning("query_unreachable", error=repr(exc))
            raise AnswerFailed(
                "query_unavailable",
                "The answer service cannot be reached",
                "Your question is kept. Try again in a moment; if it lasts, tell whoever runs Pilothouse "
                "that the query service does not answer.",
                lost=True,
            ) from exc
        except httpx2.TimeoutException as exc:
            raise AnswerFailed(
                "answer_timeout",
                "The answer service fell silent",
                "What had arrived is kept. Try again, or ask something narrower.",
            ) from exc
        except httpx2.TransportError as exc:
            log.warning("query_broke_off", error=repr(exc))
            raise broke_off() from exc


async def read_stream(events: httpx2.EventSource) -> AsyncIterator[Part]:
    """The parts in a stream of chunks. Raises `AnswerFailed`, also when the stream has no proper end."""
    finished = False
    async for event in events:
        if event.data.strip() == "[DONE]":
            break
        for part in read_chunk(event.data):
            finished = finished or isinstance(part, Final)
            yield part
    if not finished:
        raise broke_off()


def read_chunk(data: str) -> list[Part]:
    """The parts in one chunk. Raises `AnswerFailed` for an error event or for what is no chunk."""
    try:
        chunk = clean(json.loads(data))
    except ValueError as exc:
        raise _not_understood(data) from exc
    if not isinstance(chunk, dict):
        raise _not_understood(data)
    if "error" in chunk:
        raise _reported(chunk["error"])
    parts: list[Part] = []
    if isinstance(chunk.get("sources"), list):
        parts.append(Sources(_validated(_SOURCES, chunk["sources"])))
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else {}
    if not isinstance(choice, dict):
        raise _not_understood(data)
    delta = choice.get("delta")
    text = delta.get("content") if isinstance(delta, dict) else None
    if isinstance(text, str) and text:
        parts.append(Token(text))
    if choice.get("finish_reason"):
        parts.append(_final(chunk))
    return parts


def _final(chunk: Json) -> Final:
    grounding = None
    if chunk.get("grounding") is not None:
        try:
            grounding = Grounding.model_validate(chunk["grounding"])
        except ValidationError as exc:
            log.warning("grounding_not_understood", errors=exc.error_count())
    return Final(
        citations=_validated(_CITATIONS, chunk.get("citations") or []),
        grounding=grounding.model_dump(mode="json") if grounding else None,
        model=grounding.model if grounding else None,
    )


def _validated(
    adapter: TypeAdapter[list[Source]] | TypeAdapter[list[Citation]], value: JsonValue
) -> list[Json]:
    try:
        models: list[Source] | list[Citation] = adapter.validate_python(value)
    except ValidationError as exc:
        raise _not_understood(str(exc)) from exc
    return [_json(model) for model in models]


def _json(model: BaseModel) -> Json:
    return model.model_dump(mode="json")


def broke_off() -> AnswerFailed:
    """The stream ended before the answer did."""
    return AnswerFailed(
        "answer_interrupted",
        "The answer broke off",
        "The connection to the answer service was lost. What had arrived is kept; go on, or try again.",
        lost=True,
    )


def _not_understood(data: str) -> AnswerFailed:
    log.error("query_not_understood", beginning=data[:80])
    return AnswerFailed(
        "answer_not_understood",
        "The answer service sent something unexpected",
        "Chat and query service may be of different versions. Tell whoever runs Pilothouse; trying again "
        "may help in the middle of an upgrade.",
    )


def _reported(error: JsonValue) -> AnswerFailed:
    error = error if isinstance(error, dict) else {}
    message = error.get("message")
    return AnswerFailed(
        str(error.get("code") or "model_error"),
        "The model stopped with an error",
        f"{message or 'It gave no reason.'} What had arrived is kept; go on, or try again.",
    )


def _refused(status: int, body: bytes, collection: str | None) -> AnswerFailed:
    try:
        error = json.loads(body).get("error") or {}
    except (ValueError, AttributeError):
        error = {}
    code = str(error.get("code") or "query_error")
    if code == "model_not_found":
        return AnswerFailed(
            "collection_not_found",
            f"The collection “{collection}” is not there" if collection else "Nothing can be searched",
            "It was deleted, or you may no longer read it. Choose another collection and ask again.",
        )
    log.warning("query_refused", status=status, code=code)
    return AnswerFailed(
        code,
        "The answer service refused the question",
        str(error.get("message") or f"It answered with status {status}. Try again in a moment."),
        lost=status == httpx2.codes.SERVICE_UNAVAILABLE and code not in LASTING,
    )
