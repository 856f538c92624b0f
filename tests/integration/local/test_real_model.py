"""The packaged model through the real llama.cpp: the scripted engine of the unit tests must not lie."""

import contextlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from pilothouse_model_server.chat.app import create_app
from pilothouse_model_server.chat.engine import LlamaEngine, OnChunk
from pilothouse_model_server.chat.schemas import ChatRequest
from pilothouse_model_server.chat.service import ChatService
from pilothouse_model_server.chat.weights import ModelFile, ModelFileError, find_model
from pilothouse_model_server.settings import LlamaSettings, Settings

LLAMA = LlamaSettings(context=1024, slots=2, threads=1)
QUESTION = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}


@pytest.fixture(scope="module")
def file() -> ModelFile:
    return find_model(None)


@pytest.fixture(scope="module")
def engine(file: ModelFile) -> LlamaEngine:
    return LlamaEngine(file, LLAMA)


@pytest.fixture
async def client(engine: LlamaEngine, file: ModelFile) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(Settings(llama=LLAMA), engine, model=file.name)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            base_url="http://127.0.0.1", transport=httpx2.ASGITransport(app), timeout=60
        ) as client,
    ):
        yield client


async def test_it_answers_at_once_and_in_a_stream_with_the_same_words(client: httpx2.AsyncClient) -> None:
    whole = (await client.post("/v1/chat/completions", json=QUESTION)).json()
    stream = await client.post(
        "/v1/chat/completions",
        json={**QUESTION, "stream": True, "stream_options": {"include_usage": True}},
    )
    events = [json.loads(data) for data in re.findall(r"^data: (\{.*)$", stream.text, re.MULTILINE)]
    text = "".join(c["delta"].get("content", "") for event in events for c in event["choices"])
    assert text
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": text}
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert events[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"] == 8
    assert whole["choices"][0]["finish_reason"] == "length"


async def test_the_context_it_tells_is_the_context_it_has(client: httpx2.AsyncClient) -> None:
    limit = (await client.get("/v1/models")).json()["data"][0]["max_model_len"]
    long = {"messages": [{"role": "user", "content": "word " * limit}], "stream": True}
    response = await client.post("/v1/chat/completions", json=long)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"
    assert f"context length is {limit} tokens" in response.json()["error"]["message"]


async def test_messages_without_content_are_refused(client: httpx2.AsyncClient) -> None:
    response = await client.post("/v1/chat/completions", json={"messages": [{"role": "user"}]})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


async def test_an_abandoned_answer_stops_long_before_its_end(engine: LlamaEngine, file: ModelFile) -> None:
    made: list[object] = []

    class Counting:
        def generate(self, request: dict[str, Any], on_chunk: OnChunk) -> None:
            def count(chunk: dict[str, Any]) -> bool:
                made.append(chunk)
                return on_chunk(chunk)

            engine.generate(request, count)

    chat = ChatService(Counting(), LLAMA, model=file.name)
    endless = ChatRequest.model_validate({**QUESTION, "max_tokens": 900, "ignore_eos": True})
    async with contextlib.aclosing(chat.chunks(endless)) as chunks:
        async for chunk in chunks:
            if chunk["choices"] and len(made) >= 5:
                break
    chat.close()
    assert len(made) < 100


def test_llama_cpps_own_port_is_shut(engine: LlamaEngine) -> None:
    own = [
        c.laddr.port for c in psutil.Process().net_connections(kind="tcp") if c.status == psutil.CONN_LISTEN
    ]
    assert own
    for port in own:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/props", timeout=5)


def test_a_damaged_model_is_told_in_words(tmp_path: Path, file: ModelFile) -> None:
    damaged = tmp_path / "damaged.gguf"
    with file.path.open("rb") as source:
        damaged.write_bytes(source.read(1 << 20))
    with pytest.raises(ModelFileError, match="damaged or incomplete"):
        LlamaEngine(find_model(damaged), LLAMA)
