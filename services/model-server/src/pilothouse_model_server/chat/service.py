"""Turns requests into answers: waiting for a slot, sampling defaults, stopping when nobody listens."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from pilothouse_model_server.chat.engine import ChatEngine
from pilothouse_model_server.chat.errors import ModelError, from_llama, invalid_request
from pilothouse_model_server.chat.schemas import ChatRequest
from pilothouse_model_server.settings import LlamaSettings

log = structlog.get_logger()

TOKENS = Counter("pilothouse_model_server_tokens", "Tokens read and written.", ["kind"])
WAITING = Gauge("pilothouse_model_waiting", "Requests waiting for a slot.")
RUNNING = Gauge("pilothouse_model_running", "Requests being answered.")

# For answers out of given passages. A plain repeat penalty makes a small model avoid the very words it should
# quote; DRY only breaks loops: sequences of a dozen tokens seen among the last few hundred.
SAMPLING: dict[str, float | int] = {
    "temperature": 0.0,
    "top_p": 0.95,
    "dry_multiplier": 0.8,
    "dry_allowed_length": 12,
    "dry_penalty_last_n": 384,
}


class ChatService:
    """Answers chat requests with one engine, as many at once as it has slots."""

    def __init__(self, engine: ChatEngine, settings: LlamaSettings, *, model: str) -> None:
        self.model = model
        self._engine = engine
        self._settings = settings
        self._threads = ThreadPoolExecutor(settings.slots, thread_name_prefix="llama")
        self._slots = asyncio.Semaphore(settings.slots)
        self._waiting = 0

    async def chunks(self, request: ChatRequest) -> AsyncGenerator[dict[str, Any], None]:
        """OpenAI chunks, the usage one last. Closing the iterator stops the generation.

        Raises ModelError; before the first chunk when the request itself is at fault.
        """
        async with self._slot():
            loop = asyncio.get_running_loop()
            queue: asyncio.Queue[dict[str, Any] | BaseException | None] = asyncio.Queue()
            abandoned = threading.Event()

            def on_chunk(chunk: dict[str, Any]) -> bool:
                if not abandoned.is_set():
                    loop.call_soon_threadsafe(queue.put_nowait, chunk)
                return abandoned.is_set()

            def generate() -> None:
                outcome: BaseException | None = None
                try:
                    self._engine.generate(self._llama_request(request), on_chunk)
                except Exception as exc:  # whatever the native library throws belongs to the one who waits
                    outcome = exc
                if not abandoned.is_set():
                    loop.call_soon_threadsafe(queue.put_nowait, outcome)

            work = loop.run_in_executor(self._threads, generate)
            try:
                while (item := await queue.get()) is not None:
                    if isinstance(item, BaseException):
                        raise _translated(item) from item
                    if "error" in item:
                        raise from_llama(item["error"])
                    yield self._openai_chunk(item)
            finally:
                abandoned.set()
                # The slot is free once the engine has noticed, at the end of its current step.
                await asyncio.shield(work)

    async def complete(self, request: ChatRequest) -> dict[str, Any]:
        """The whole answer as one object."""
        text: list[str] = []
        tool_calls: dict[int, dict[str, Any]] = {}
        message: dict[str, Any] = {"role": "assistant"}
        finish_reason = None
        last: dict[str, Any] = {}
        async with contextlib.aclosing(self.chunks(request)) as chunks:
            async for last in chunks:
                for choice in last["choices"]:
                    delta = choice["delta"]
                    text.append(delta.get("content") or "")
                    for call in delta.get("tool_calls", ()):
                        _merge_tool_call(tool_calls, call)
                    finish_reason = choice["finish_reason"] or finish_reason
        message["content"] = "".join(text)
        if tool_calls:
            message["tool_calls"] = [tool_calls[index] for index in sorted(tool_calls)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        return {
            "id": last["id"],
            "object": "chat.completion",
            "created": last["created"],
            "model": self.model,
            "choices": [choice],
            "usage": last["usage"],
        }

    def close(self) -> None:
        """Let running answers end; their listeners are gone by now."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._slots.locked() and self._waiting >= self._settings.queue:
            raise ModelError(
                status=429,
                code="queue_full",
                message=f"{self._waiting} requests are waiting already. Try again in a few seconds.",
                headers={"retry-after": "5"},
            )
        self._waiting += 1
        WAITING.set(self._waiting)
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
            WAITING.set(self._waiting)
        RUNNING.inc()
        try:
            yield
        finally:
            RUNNING.dec()
            self._slots.release()

    def _llama_request(self, request: ChatRequest) -> dict[str, Any]:
        given = request.model_dump(
            exclude_none=True, exclude={"n", "max_completion_tokens", "stream_options"}
        )
        limit = request.max_completion_tokens or request.max_tokens or self._settings.max_tokens
        return {
            **SAMPLING,
            **given,
            "max_tokens": limit,
            "cache_prompt": True,
            "stream": True,
            "stream_options": {"include_usage": True},
            # A sign of life before each batch of the prompt, where a generation can be stopped too.
            "return_progress": True,
        }

    def _openai_chunk(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """Only what OpenAI's clients know; a progress report becomes an empty chunk."""
        choices = [
            {
                "index": choice["index"],
                "delta": {**delta, "content": delta.get("content") or ""} if "role" in delta else delta,
                "logprobs": choice.get("logprobs"),
                "finish_reason": choice["finish_reason"],
            }
            for choice in chunk["choices"]
            if "prompt_progress" not in chunk
            for delta in [choice["delta"]]
        ]
        usage = chunk.get("usage")
        if usage is not None:
            TOKENS.labels("prompt").inc(usage["prompt_tokens"])
            TOKENS.labels("completion").inc(usage["completion_tokens"])
        return {
            "id": chunk["id"],
            "object": "chat.completion.chunk",
            "created": chunk["created"],
            "model": self.model,
            "choices": choices,
            "usage": usage,
        }


def _merge_tool_call(calls: dict[int, dict[str, Any]], delta: dict[str, Any]) -> None:
    """A tool call arrives in pieces: its name first, then its arguments bit by bit."""
    index = delta.get("index", 0)
    function = delta.get("function", {})
    call = calls.setdefault(
        index, {"id": delta.get("id"), "type": "function", "function": {"name": "", "arguments": ""}}
    )
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def _translated(error: BaseException) -> ModelError:
    if isinstance(error, ValueError):
        return invalid_request(str(error))
    log.error("generation_failed", exc_info=error)
    return ModelError(
        status=500,
        code="model_failed",
        message="The model failed; the reason is in the log of the model server.",
    )
