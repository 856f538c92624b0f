"""Answers over HTTP: OpenAI's own client, a scripted model server, a real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import openai
import orjson
import pytest
from openai.types.chat import ChatCompletionMessageParam

from integration.query.conftest import running_query
from pilothouse_core.testing import HashEmbedder
from pilothouse_query.settings import Settings
from support.corpus import Document, add_collection
from support.database import Database
from support.scripted_model import ScriptedModel

HANDBOOK = [
    Document(
        "Backups", ["The backup runs every night at 2:30.", "Copies are kept for 30 days on the server."]
    ),
    Document("Invoices", ["Invoices are sent on the first of each month by the finance team."]),
]
QUESTION = "How long are backup copies kept on the server?"


@pytest.fixture
async def address(
    database: Database,
    embedder: HashEmbedder,
    settings: Callable[..., Settings],
    model_url: str,
) -> AsyncIterator[str]:
    """A query service with the handbook and the scripted model."""
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    async with running_query(settings(model={"url": model_url}), embedder) as address:
        yield address


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="unused", max_retries=0) as client:
        yield client


async def complete(address: str, question: str, model: str = "pilothouse") -> dict[str, Any]:
    async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
        response = await client.post("/v1/chat/completions", json=asked(question, model=model))
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


async def stream(address: str, question: str) -> list[dict[str, Any]]:
    """The events of a streamed answer; checks that it ends with [DONE]."""
    body = {**asked(question), "stream": True}
    async with (
        httpx2.AsyncClient(base_url=address, timeout=20) as client,
        client.stream("POST", "/v1/chat/completions", json=body) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"
        lines = [line[6:] async for line in response.aiter_lines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [orjson.loads(line) for line in lines]


def asked(question: str, *, model: str = "pilothouse") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": question}]}


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(
        choice["delta"].get("content", "") for event in events for choice in event.get("choices", [])
    )


async def test_the_openai_client_works_unchanged(address: str) -> None:
    question: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
    async with client_of(address) as client:
        models = [model.id async for model in await client.models.list()]
        one = await client.models.retrieve("pilothouse/handbook")
        whole = await client.chat.completions.create(model="pilothouse", messages=question)
        chunks = [
            chunk
            async for chunk in await client.chat.completions.create(
                model="pilothouse/handbook",
                messages=question,
                stream=True,
                stream_options={"include_usage": True},
            )
        ]
    assert models == ["pilothouse", "pilothouse/handbook"]
    assert one.id == "pilothouse/handbook"
    text = whole.choices[0].message.content
    assert text is not None
    assert "30 days on the server [1]." in text
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens > 0
    assert chunks[-2].choices[0].finish_reason == "stop"


async def test_sources_come_first_and_citations_last(address: str) -> None:
    events = await stream(address, QUESTION)
    assert [source["n"] for source in events[0]["sources"]] == list(range(1, len(events[0]["sources"]) + 1))
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    last = events[-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["grounding"]["status"] == "answered"
    assert last["grounding"]["model"] == "scripted"
    assert last["grounding"]["search"]["collections"] == ["handbook"]
    assert last["grounding"]["search"]["query"] == QUESTION
    assert set(last["grounding"]["search"]["timings_ms"]) == {
        "embed", "dense", "lexical", "fuse", "rerank", "total",
    }  # fmt: skip


async def test_every_quote_is_the_documents_text_at_its_offsets(address: str) -> None:
    answer = await complete(address, QUESTION)
    texts = {document.title: document.text for document in HANDBOOK}
    assert answer["citations"]
    for citation in answer["citations"]:
        assert texts[citation["title"]][citation["start"] : citation["end"]] == citation["quote"]
    for source in answer["sources"]:
        assert texts[source["title"]][source["start"] : source["end"]] == source["text"]


async def test_wrong_numbers_are_taken_out_and_their_sentence_reported(address: str) -> None:
    answer = await complete(address, f"{QUESTION} scenario:bad-cites")
    text = answer["choices"][0]["message"]["content"]
    assert "42" not in text
    assert "99" not in text
    (span,) = answer["grounding"]["unsupported"]
    assert text[span["start"] : span["end"]] == "Whales sing at dusk."
    assert (answer["grounding"]["sentences"], answer["grounding"]["supported"]) == (2, 1)


@pytest.mark.parametrize("scenario", ["error-before", "empty"])
async def test_without_a_model_the_closest_passages_are_the_answer(address: str, scenario: str) -> None:
    events = await stream(address, f"{QUESTION} scenario:{scenario}")
    assert events[-1]["grounding"]["status"] == "model_unavailable"
    assert "Copies are kept for 30 days on the server. [1]" in text_of(events)
    assert "overloaded" not in text_of(events)


async def test_a_model_server_that_is_not_there_is_said_so(
    database: Database, embedder: HashEmbedder, settings: Callable[..., Settings]
) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    async with running_query(settings(model={"url": "http://127.0.0.1:9"}), embedder) as address:
        answer = await complete(address, QUESTION)
    assert answer["grounding"]["status"] == "model_unavailable"
    assert answer["citations"][0]["quote"] == "Copies are kept for 30 days on the server."


@pytest.mark.parametrize("scenario", ["error-middle", "error-event"])
async def test_a_break_in_the_middle_is_an_error_event_and_a_status(address: str, scenario: str) -> None:
    question = f"{QUESTION} scenario:{scenario}"
    events = await stream(address, question)
    assert events[-1]["error"]["code"] == "model_interrupted"
    assert events[-1]["error"]["type"] == "server_error"
    assert "CUDA" not in str(events)
    assert text_of(events).startswith("This answer")
    whole = await complete(address, question)
    assert whole["error"]["code"] == "model_interrupted"


async def test_a_prompt_too_long_for_the_model_is_never_text(address: str, model: ScriptedModel) -> None:
    answer = await complete(address, f"{QUESTION} scenario:huge-context-error")
    assert answer["error"]["code"] == "context_length_exceeded"
    model.requests.clear()
    again = await complete(address, f"{QUESTION} scenario:context-half")
    assert again["grounding"]["status"] == "answered"
    assert len(model.requests) == 2


async def test_nothing_relevant_and_nothing_indexed_ask_no_model(
    address: str,
    database: Database,
    embedder: HashEmbedder,
    model: ScriptedModel,
) -> None:
    url = database.url("pilothouse_ingest")
    await add_collection(url, "empty", [], embedder)
    unrelated = await complete(address, "zebra quantum marmalade")
    empty = await complete(address, QUESTION, "pilothouse/empty")
    assert unrelated["grounding"]["status"] == "nothing_relevant"
    assert empty["grounding"]["status"] == "nothing_indexed"
    assert unrelated["citations"] == unrelated["sources"] == empty["citations"] == []
    assert model.requests == []


async def test_a_follow_up_is_searched_with_the_question_before_it(
    address: str, model: ScriptedModel
) -> None:
    async with client_of(address) as client:
        answer = await client.chat.completions.create(
            model="pilothouse",
            messages=[
                {"role": "user", "content": "When are invoices sent?"},
                {"role": "assistant", "content": "On the first of each month [1]."},
                {"role": "user", "content": "By whom?"},
            ],
        )
    text = answer.choices[0].message.content
    assert text is not None
    assert "finance team [1]" in text
    prompt = [message["content"] for message in model.requests[-1]["messages"]]
    assert prompt[1:3] == ["When are invoices sent?", "On the first of each month."]


@pytest.mark.parametrize("scenario", ["never-ends", "silent"])
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_a_client_that_leaves_cancels_the_models_call(
    address: str, model: ScriptedModel, scenario: str, streamed: bool
) -> None:
    body = {**asked(f"{QUESTION} scenario:{scenario}"), "stream": streamed}
    async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
        call = asyncio.create_task(client.post("/v1/chat/completions", json=body))
        async with asyncio.timeout(10):
            await asyncio.to_thread(model.asked.wait)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await asyncio.to_thread(model.cancellation.wait, 10)
    assert model.cancelled == [scenario]


async def test_silence_between_tokens_ends_the_answer_with_an_error(
    database: Database, embedder: HashEmbedder, settings: Callable[..., Settings], model_url: str
) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    impatient = {"url": model_url, "token_timeout": 0.1, "first_token_timeout": 5}
    async with running_query(settings(model=impatient), embedder) as address:
        events = await stream(address, f"{QUESTION} scenario:never-ends")
    assert events[-1]["error"]["code"] == "model_timeout"


async def test_the_models_key_is_sent_and_never_shown(
    database: Database,
    embedder: HashEmbedder,
    settings: Callable[..., Settings],
    model: ScriptedModel,
    model_url: str,
) -> None:
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    made = settings(model={"url": model_url, "key": "secret-key"})
    async with running_query(made, embedder) as address:
        await complete(address, QUESTION)
    assert model.headers[-1]["authorization"] == "Bearer secret-key"
    assert "secret-key" not in repr(made)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asked("Hi?", model="gpt-4"), 404, "model_not_found"),
        (asked("Hi?", model="pilothouse/nope"), 404, "model_not_found"),
        (asked(" "), 400, "empty_question"),
        ({"model": "pilothouse", "messages": []}, 400, "invalid_request"),
        (asked(f"{QUESTION} " * 900), 400, "context_length_exceeded"),
        (asked("a\ud800b"), 400, "invalid_request"),
        (asked("a\x00b"), 400, "invalid_request"),
        ("[" * 50_000, 400, "malformed_json"),
        ("{", 400, "malformed_json"),
    ],
)
async def test_errors_have_openais_form(
    address: str, body: dict[str, Any] | str, status: int, code: str
) -> None:
    # By hand, as clients refuse to send half a surrogate pair.
    content = body if isinstance(body, str) else json.dumps(body)
    async with httpx2.AsyncClient(base_url=address, timeout=20) as client:
        response = await client.post(
            "/v1/chat/completions", content=content, headers={"content-type": "application/json"}
        )
    assert response.status_code == status
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "function-after" not in response.text
