"""The wire of the model server, with a scripted engine in the place of llama.cpp."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from pilothouse_core.auth_settings import AuthSettings
from pilothouse_model_server.chat.app import create_app
from pilothouse_model_server.chat.engine import OnChunk
from pilothouse_model_server.chat.errors import ModelError
from pilothouse_model_server.chat.schemas import ChatRequest
from pilothouse_model_server.chat.service import ChatService
from pilothouse_model_server.settings import LlamaSettings, Settings

QUESTION = {"messages": [{"role": "user", "content": "Hello?"}]}
BASE = {"id": "chatcmpl-1", "created": 1, "model": "/path", "object": "chat.completion.chunk"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


def piece(delta: dict[str, Any], finish_reason: str | None = None, **extra: Any) -> dict[str, Any]:
    return {**BASE, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}], **extra}


# As llama.cpp sends them, timings and progress reports included.
READING = piece({"role": "assistant", "content": None}, prompt_progress={"total": 9, "processed": 0})
ANSWER = [
    READING,
    piece({"role": "assistant", "content": None}),
    piece({"content": "Good"}),
    piece({"content": " day"}),
    piece({}, "stop"),
    {**BASE, "choices": [], "usage": USAGE, "timings": {"prompt_ms": 1.5}},
]


class ScriptedEngine:
    """Plays chunks, or fails; may wait between the first and the others until it is let go."""

    def __init__(self, chunks: Sequence[dict[str, Any]] = ANSWER, *, error: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.go = threading.Event()
        self.go.set()
        self.stopped = threading.Event()
        self._chunks = chunks
        self._error = error

    def generate(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        self.requests.append(request)
        if self._error:
            raise self._error
        for number, chunk in enumerate(self._chunks):
            if number:
                self.go.wait(30)
            if on_chunk(chunk):
                self.stopped.set()
                return


class EndlessEngine(ScriptedEngine):
    """Goes on until it is stopped."""

    def generate(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
        on_chunk(READING)
        while not on_chunk(piece({"content": "la "})):
            pass
        self.stopped.set()


@asynccontextmanager
async def served(
    engine: ScriptedEngine, auth: AuthSettings | None = None, **llama: int
) -> AsyncIterator[httpx2.AsyncClient]:
    settings = Settings(llama=LlamaSettings(**llama), auth=auth or AuthSettings())
    app = create_app(settings, engine, model="Tiny")
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(base_url="http://127.0.0.1", transport=transport) as client,
    ):
        yield client


async def ask(engine: ScriptedEngine, **body: Any) -> httpx2.Response:
    async with served(engine) as client:
        return await client.post("/v1/chat/completions", json={**QUESTION, **body})


def events(response: httpx2.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def test_a_whole_answer_has_openais_shape() -> None:
    response = await ask(ScriptedEngine())
    assert response.json() == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "Tiny",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Good day"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": USAGE,
    }


async def test_a_stream_has_openais_chunks_and_nothing_of_llama_cpp() -> None:
    response = await ask(ScriptedEngine(), stream=True)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    assert [event["choices"][0]["delta"] for event in events(response)] == [
        {"role": "assistant", "content": ""},
        {"content": "Good"},
        {"content": " day"},
        {},
    ]
    assert {tuple(event) for event in events(response)} == {("id", "object", "created", "model", "choices")}
    assert response.text.startswith(": working\n\n")


async def test_usage_comes_last_in_a_stream_that_asks_for_it() -> None:
    response = await ask(ScriptedEngine(), stream=True, stream_options={"include_usage": True})
    *others, last = events(response)
    assert (last["choices"], last["usage"]) == ([], USAGE)
    assert all(event["usage"] is None for event in others)


async def test_pieces_of_a_tool_call_are_put_together() -> None:
    start = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    more = {"index": 0, "function": {"arguments": '{"a":1}'}}
    calls = [
        piece({"tool_calls": [start]}),
        piece({"tool_calls": [more]}),
        piece({}, "tool_calls"),
        ANSWER[-1],
    ]
    response = await ask(ScriptedEngine(calls))
    (call,) = response.json()["choices"][0]["message"]["tool_calls"]
    assert call["id"] == "call_1"
    assert call["function"] == {"name": "look", "arguments": '{"a":1}'}


async def test_sampling_defaults_give_way_to_the_request() -> None:
    engine = ScriptedEngine()
    await ask(engine, temperature=0.7, max_completion_tokens=5, stop=["\n"])
    (request,) = engine.requests
    assert (request["temperature"], request["max_tokens"], request["stop"]) == (0.7, 5, ["\n"])
    assert request["dry_multiplier"] > 0


@pytest.mark.parametrize("stream", [True, False])
async def test_a_prompt_that_is_too_long_is_told_before_anything_else(stream: bool) -> None:
    error = {"type": "exceed_context_size_error", "code": 400, "n_prompt_tokens": 5000, "n_ctx": 4096}
    response = await ask(ScriptedEngine([{"error": error}]), stream=stream)
    assert response.status_code == 400
    body = response.json()["error"]
    assert (body["code"], body["type"], body["param"]) == (
        "context_length_exceeded",
        "invalid_request_error",
        "messages",
    )
    assert "4096" in body["message"]
    assert "5000" in body["message"]


async def test_an_error_in_the_middle_of_a_stream_is_an_event() -> None:
    response = await ask(
        ScriptedEngine([*ANSWER[:3], {"error": {"code": 500, "message": "boom"}}]), stream=True
    )
    assert response.status_code == 200
    assert events(response)[-1] == {
        "error": {"message": "boom", "type": "server_error", "param": None, "code": "model_failed"}
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({**QUESTION, "temperature": "hot"}, "temperature"),
        ({**QUESTION, "n": 2}, "n"),
        ({**QUESTION, "max_tokens": 0}, "max_tokens"),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_in_openais_form(body: Any, param: str) -> None:
    async with served(ScriptedEngine()) as client:
        response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


async def test_messages_that_the_template_cannot_take_are_the_callers_fault() -> None:
    response = await ask(ScriptedEngine(error=ValueError("Conversation roles must alternate")))
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "Conversation roles must alternate"


async def test_a_failing_engine_shows_no_inner_words() -> None:
    response = await ask(ScriptedEngine(error=RuntimeError("ggml_assert: secret")))
    assert response.status_code == 500
    assert "secret" not in response.text


async def test_a_full_queue_answers_429_with_a_time_to_come_back() -> None:
    engine = ScriptedEngine()
    engine.go.clear()
    async with served(engine, slots=1, queue=1) as client:
        tasks = [asyncio.create_task(client.post("/v1/chat/completions", json=QUESTION)) for _ in range(2)]
        await until(lambda: bool(engine.requests))
        refused = await client.post("/v1/chat/completions", json=QUESTION)
        engine.go.set()
        answers = await asyncio.gather(*tasks)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["error"]["code"] == "queue_full"
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_closing_the_stream_stops_the_generation_and_frees_the_slot() -> None:
    engine = EndlessEngine()
    chat = ChatService(engine, LlamaSettings(slots=1, queue=0), model="Tiny")
    for _ in range(2):
        chunks = chat.chunks(ChatRequest.model_validate(QUESTION))
        await anext(chunks)
        await chunks.aclose()
        assert engine.stopped.wait(30)
        engine.stopped.clear()
    chat.close()


async def test_a_client_that_leaves_before_the_first_chunk_stops_the_generation() -> None:
    engine = EndlessEngine()
    chat = ChatService(engine, LlamaSettings(slots=1, queue=0), model="Tiny")
    task = asyncio.create_task(chat.complete(ChatRequest.model_validate(QUESTION)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert engine.stopped.wait(30)
    chat.close()


async def test_someone_who_stops_waiting_gives_the_place_back() -> None:
    engine = ScriptedEngine()
    engine.go.clear()
    chat = ChatService(engine, LlamaSettings(slots=1, queue=1), model="Tiny")
    request = ChatRequest.model_validate(QUESTION)
    first = asyncio.create_task(chat.complete(request))
    waiting = asyncio.create_task(chat.complete(request))
    await until(lambda: bool(engine.requests))
    with pytest.raises(ModelError):
        await chat.complete(request)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    second = asyncio.create_task(chat.complete(request))
    engine.go.set()
    assert (await first)["choices"] == (await second)["choices"]
    chat.close()


async def test_limits_are_told_in_the_forms_that_clients_read() -> None:
    async with served(ScriptedEngine(), context=2048) as client:
        info = (await client.get("/info")).json()
        models = (await client.get("/v1/models")).json()
        ready = await client.get("/readyz")
    assert (info["model_id"], info["max_total_tokens"], info["max_input_tokens"]) == ("Tiny", 2048, 2047)
    assert [(model["id"], model["max_model_len"]) for model in models["data"]] == [("Tiny", 2048)]
    assert ready.status_code == 200


async def test_in_token_mode_only_generation_wants_the_key() -> None:
    key = "a-key-of-sixteen-characters"
    auth = AuthSettings(mode="token", api_keys=SecretStr(f"query:{key}"))
    async with served(ScriptedEngine(), auth) as client:
        refused = await client.post("/v1/chat/completions", json=QUESTION)
        known = await client.post(
            "/v1/chat/completions", json=QUESTION, headers={"authorization": f"Bearer {key}"}
        )
        open_to_all = [
            (await client.get(path)).status_code for path in ("/info", "/health", "/v1/models", "/metrics")
        ]
    assert (refused.status_code, known.status_code) == (401, 200)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["error"]["type"] == "authentication_error"
    assert open_to_all == [200] * 4


async def until(condition: Callable[[], bool]) -> None:
    """Lets other tasks and threads run until it holds."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  the other side is a thread without an event loop
            await asyncio.sleep(0.001)
