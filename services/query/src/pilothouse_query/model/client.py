"""The `ChatModel` port and its adapter for servers that speak OpenAI's /v1/chat/completions.

Errors:

    ModelError            the model gave no (complete) answer
    ├── ModelUnavailable  unreachable, overloaded, refusing, or silent too long before the first token
    ├── ContextTooLong    the prompt does not fit the model
    └── ModelInterrupted  it broke off, or fell silent, in the middle of an answer
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx2
import orjson
import structlog

from pilothouse_core.reaching import reached
from pilothouse_query.model.limits import Limits, LimitsReader, NotAModelServerError, is_page
from pilothouse_query.settings import ModelSettings

log = structlog.get_logger()

LOOK_SECONDS = 5.0


class ModelError(Exception):
    """The model gave no complete answer; `code` names the reason for metrics and logs."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class ModelUnavailable(ModelError):
    """There will be no answer: unreachable, overloaded, refusing, or silent too long."""


class ContextTooLong(ModelError):
    """The server said that the prompt does not fit."""


class ModelInterrupted(ModelError):
    """The answer broke off after it had begun."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model writes; None leaves it to the server."""

    max_tokens: int
    temperature: float
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    grammar: str | None = None  # GBNF, which llama.cpp's servers read


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer; the last one says why it ended and, if the server counts, the tokens."""

    text: str
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class ChatModel(Protocol):
    """A language model that streams answers."""

    async def limits(self) -> Limits:
        """What the model is and how much it can read. Raises `ModelUnavailable`."""
        ...

    def stream(self, messages: Sequence[ChatMessage], sampling: Sampling) -> AsyncGenerator[Delta]:
        """The answer in pieces; closing the iterator cancels the call. Raises `ModelError`."""
        ...


class OpenAIChatModel:
    """TGI, vLLM, llama.cpp, NIM, model-server: all answer the same call."""

    def __init__(self, client: httpx2.AsyncClient, settings: ModelSettings) -> None:
        self._client = client
        self._settings = settings
        self._limits = LimitsReader(client, settings)
        self.fault: str | None = None
        """Why the last call was not answered, in words."""

    async def limits(self) -> Limits:
        try:
            found = await self._limits.read()
        except httpx2.HTTPError as exc:
            raise self._unavailable("model_unreachable", f"{type(exc).__name__}: {exc}") from exc
        except NotAModelServerError as exc:
            raise self._unavailable("model_not_understood", str(exc)) from exc
        self.fault = None
        return found

    def _unavailable(self, code: str, what: str) -> ModelUnavailable:
        where = self._client.base_url.netloc.decode("ascii")
        self.fault = f"The model server at {where} cannot be used: {what}. Check PILOTHOUSE_MODEL_URL."
        return ModelUnavailable(code, what)

    async def probe(self) -> Limits:
        """The limits asked anew, which shows whether the server answers. Raises `ModelUnavailable`."""
        self._limits.forget()
        return await self.limits()

    async def stream(self, messages: Sequence[ChatMessage], sampling: Sampling) -> AsyncGenerator[Delta]:
        limits = await self.limits()
        body = _body(messages, sampling, model=self._settings.name or limits.model)
        begun = False
        try:
            async with aclosing(self._lines(body)) as lines:
                async for delta in lines:
                    begun = begun or bool(delta.text)
                    yield delta
        except ModelInterrupted as exc:
            self._limits.forget()
            if begun:
                raise
            raise self._unavailable(exc.code, exc.detail) from exc
        except ModelError as exc:
            self._limits.forget()
            if isinstance(exc, ModelUnavailable):
                raise self._unavailable(exc.code, exc.detail) from exc
            raise
        except (httpx2.HTTPError, TimeoutError) as exc:
            self._limits.forget()
            kind = (
                "model_timeout" if isinstance(exc, httpx2.TimeoutException | TimeoutError) else "model_lost"
            )
            what = f"{type(exc).__name__}: {exc}"
            raise (ModelInterrupted(kind, what) if begun else self._unavailable(kind, what)) from exc

    async def _lines(self, body: dict[str, Any]) -> AsyncGenerator[Delta]:
        """One delta per event; enforces the times to the first token, between tokens and of the whole.

        Keep-alive comments are no tokens: a server that only sends those is silent.
        """
        first = self._settings.first_token_timeout.total_seconds()
        between = self._settings.token_timeout.total_seconds()
        timeout = httpx2.Timeout(first, connect=self._settings.connect_timeout.total_seconds())
        clock = asyncio.get_running_loop().time
        end = clock() + self._settings.answer_timeout.total_seconds()
        due = clock() + first
        begun = finished = False
        request = self._client.build_request("POST", "v1/chat/completions", json=body, timeout=timeout)
        response = await reached(
            lambda: self._client.send(request, stream=True), patient=self._limits.was_there
        )
        async with aclosing(response):
            if response.status_code != 200:
                await response.aread()
                raise _refusal(response)
            if is_page(response):
                raise ModelUnavailable("model_not_understood", "it answers with a web page")
            lines = response.aiter_lines()
            while True:
                async with asyncio.timeout_at(min(due, end)):
                    line = await anext(lines, None)
                if line is None or line == "data: [DONE]":
                    break
                if not line.startswith("data:"):
                    continue
                delta = _delta(line[5:])
                if delta.text:
                    begun, due = True, clock() + between
                finished = finished or delta.finish_reason is not None
                yield delta
        if not finished:
            error = ModelInterrupted if begun else ModelUnavailable
            raise error("model_lost", "the stream ended without a finish_reason")


@asynccontextmanager
async def looking_for(model: OpenAIChatModel) -> AsyncIterator[None]:
    """Asks for the model until it has answered once, and logs each new reason why it does not."""

    async def look() -> None:
        said: str | None = None
        while True:
            try:
                await model.limits()
            except ModelUnavailable:
                if model.fault != said:
                    said = model.fault
                    log.warning("model_unavailable", reason=said)
            else:
                return
            await asyncio.sleep(LOOK_SECONDS)

    task = asyncio.create_task(look(), name="look for the model")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _body(messages: Sequence[ChatMessage], sampling: Sampling, *, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    optional = {
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "grammar": sampling.grammar,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def _delta(data: str) -> Delta:
    """Reads one event. TGI and others send errors as events with status 200: never text."""
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise ModelInterrupted("model_garbled", "an event was not JSON") from exc
    if not isinstance(event, Mapping):
        raise ModelInterrupted("model_garbled", "an event was not an object")
    if "error" in event:
        raise _stream_error(event)
    usage = event.get("usage") or {}
    choices = event.get("choices") or [{}]
    content = (choices[0].get("delta") or {}).get("content")
    return Delta(
        text=content if isinstance(content, str) else "",
        finish_reason=choices[0].get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
    )


def _stream_error(event: Mapping[str, Any]) -> ModelError:
    error = event["error"]
    message = str(error.get("message", error) if isinstance(error, Mapping) else error)
    if _is_context_error(message):
        return ContextTooLong("context_length_exceeded", message)
    return ModelInterrupted("model_error", message)


def _refusal(response: httpx2.Response) -> ModelError:
    text = response.text[:2000]
    if response.status_code in {400, 413, 422} and _is_context_error(text):
        return ContextTooLong("context_length_exceeded", text)
    return ModelUnavailable(f"model_http_{response.status_code}", text)


def _is_context_error(text: str) -> bool:
    """The words of TGI ("`inputs` tokens + `max_new_tokens` must be <="), vLLM and OpenAI ("maximum
    context length", "context_length_exceeded") and llama.cpp ("exceeds the available context size")."""
    lowered = text.lower()
    return any(
        words in lowered
        for words in ("max_new_tokens", "context length", "context_length", "context size", "context window")
    )
