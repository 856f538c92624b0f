"""The adapter to OpenAI-style servers, against answers as TGI, vLLM and llama.cpp give them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx2
import pytest

from pilothouse_query.model.client import (
    ChatMessage,
    ContextTooLong,
    Delta,
    ModelInterrupted,
    ModelUnavailable,
    OpenAIChatModel,
    Sampling,
)
from pilothouse_query.model.limits import UNKNOWN_CONTEXT
from pilothouse_query.settings import ModelSettings

MESSAGES = [ChatMessage("user", "Hello?")]
SAMPLING = Sampling(max_tokens=20, temperature=0.1)
Handler = Callable[[httpx2.Request], httpx2.Response]


def event(content: str | None = None, finish: str | None = None) -> str:
    choice = {
        "index": 0,
        "delta": {"content": content} if content is not None else {},
        "finish_reason": finish,
    }
    return f"data: {json.dumps({'choices': [choice]})}\n\n"


def server(stream: str | httpx2.Response, **paths: object) -> Handler:
    """A server that answers chats with `stream` and `info`, `models`, `props` with JSON, else 404."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/chat/completions"):
            return stream if isinstance(stream, httpx2.Response) else httpx2.Response(200, text=stream)
        name = request.url.path.rsplit("/", 1)[-1]
        return httpx2.Response(200, json=paths[name]) if name in paths else httpx2.Response(404)

    return answer


async def ask(handler: Handler, **settings: object) -> list[Delta]:
    transport = httpx2.MockTransport(handler)
    async with httpx2.AsyncClient(transport=transport, base_url="http://model/") as client:
        model = OpenAIChatModel(client, ModelSettings.model_validate(settings))
        return [delta async for delta in model.stream(MESSAGES, SAMPLING)]


async def limits(handler: Handler, **settings: object) -> tuple[str, int]:
    transport = httpx2.MockTransport(handler)
    async with httpx2.AsyncClient(transport=transport, base_url="http://model/") as client:
        found = await OpenAIChatModel(client, ModelSettings.model_validate(settings)).limits()
        return found.model, found.context_tokens


async def test_an_answer_comes_in_pieces_with_its_token_counts() -> None:
    usage = 'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n'
    deltas = await ask(server(event("Hel") + event("lo") + event(finish="stop") + usage + "data: [DONE]\n\n"))
    assert "".join(delta.text for delta in deltas) == "Hello"
    assert deltas[-2].finish_reason == "stop"
    assert (deltas[-1].prompt_tokens, deltas[-1].completion_tokens) == (5, 2)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048"}),
        (400, {"message": "This model's maximum context length is 2048 tokens."}),
        (400, {"error": {"message": "the request exceeds the available context size"}}),
    ],
)
async def test_each_servers_way_of_saying_too_long_is_understood(status: int, body: object) -> None:
    with pytest.raises(ContextTooLong):
        await ask(server(httpx2.Response(status, json=body)))


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_a_refusal_is_the_model_being_unavailable(status: int) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await ask(server(httpx2.Response(status, text="no")))
    assert caught.value.code == f"model_http_{status}"


async def test_an_error_inside_the_stream_is_never_text() -> None:
    error = 'data: {"error": "CUDA out of memory", "error_type": "generation"}\n\n'
    with pytest.raises(ModelInterrupted):
        await ask(server(event("So ") + error))
    with pytest.raises(ModelUnavailable):
        await ask(server(error))


async def test_a_stream_that_just_ends_is_no_answer() -> None:
    with pytest.raises(ModelInterrupted):
        await ask(server(event("So ")))


async def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(ModelUnavailable):
        await ask(refuse)
    with pytest.raises(ModelUnavailable):
        await limits(refuse)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({"info": {"model_id": "tgi", "max_total_tokens": 3000, "max_input_tokens": 2000}}, ("tgi", 3000)),
        ({"models": {"data": [{"id": "vllm", "max_model_len": 8192}]}}, ("vllm", 8192)),
        (
            {
                "models": {"data": [{"id": "llama"}]},
                "props": {"default_generation_settings": {"n_ctx": 4096}},
            },
            ("llama", 4096),
        ),
        ({}, ("default", UNKNOWN_CONTEXT)),
        ({"info": ["odd"], "models": "odd"}, ("default", UNKNOWN_CONTEXT)),
    ],
)
async def test_the_context_is_read_from_what_each_server_says(
    paths: dict[str, object], expected: tuple[str, int]
) -> None:
    assert await limits(server("", **paths)) == expected


async def test_settings_overrule_the_server() -> None:
    handler = server("", info={"model_id": "tgi", "max_total_tokens": 3000})
    assert await limits(handler, name="mine", context_tokens=1024) == ("mine", 1024)


async def test_limits_are_asked_once_and_again_after_a_failure() -> None:
    asked: list[str] = []
    answers = [httpx2.Response(500), httpx2.Response(200, text=event("Hi", "stop"))]

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("completions"):
            return answers.pop()
        return httpx2.Response(200, json={"model_id": "tgi", "max_total_tokens": 3000})

    async with httpx2.AsyncClient(
        transport=httpx2.MockTransport(handler), base_url="http://model/"
    ) as client:
        model = OpenAIChatModel(client, ModelSettings())
        assert [delta.text async for delta in model.stream(MESSAGES, SAMPLING)] == ["Hi"]
        with pytest.raises(ModelUnavailable):
            _ = [delta async for delta in model.stream(MESSAGES, SAMPLING)]
        await model.limits()
    assert asked.count("/info") == 2


async def test_who_waits_for_the_limits_waits_together() -> None:
    asked: list[str] = []
    called, gate = asyncio.Event(), asyncio.Event()

    async def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        called.set()
        await gate.wait()
        raise httpx2.ReadTimeout("silent", request=request)

    async with httpx2.AsyncClient(
        transport=httpx2.MockTransport(handler), base_url="http://model/"
    ) as client:
        model = OpenAIChatModel(client, ModelSettings())
        first, *others = [asyncio.create_task(model.limits()) for _ in range(5)]
        await called.wait()
        first.cancel()
        gate.set()
        found = await asyncio.gather(first, *others, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(error, ModelUnavailable) for error in found[1:])
    assert asked == ["/info"]


async def test_silence_before_the_first_token_is_unavailable_and_after_it_interrupted() -> None:
    class Silent(httpx2.AsyncByteStream):
        def __init__(self, first: str) -> None:
            self.first = first

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield self.first.encode()
            await asyncio.Event().wait()

    short = {"first_token_timeout": timedelta(seconds=0.05), "token_timeout": timedelta(seconds=0.05)}
    with pytest.raises(ModelUnavailable) as before:
        await ask(server(httpx2.Response(200, stream=Silent(": hold on\n"))), **short)
    with pytest.raises(ModelInterrupted) as after:
        await ask(server(httpx2.Response(200, stream=Silent(event("So")))), **short)
    assert (before.value.code, after.value.code) == ("model_timeout", "model_timeout")


async def test_keep_alive_comments_are_no_tokens() -> None:
    class Pinging(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield event("So").encode()
            while True:
                await asyncio.sleep(0)
                yield b": still here\n\n"

    with pytest.raises(ModelInterrupted):
        await ask(server(httpx2.Response(200, stream=Pinging())), token_timeout=timedelta(seconds=0.05))


async def test_an_answer_that_never_ends_is_ended() -> None:
    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield event("on and ").encode()

    with pytest.raises(ModelInterrupted) as caught:
        await ask(server(httpx2.Response(200, stream=Endless())), answer_timeout=timedelta(seconds=0.1))
    assert caught.value.code == "model_timeout"


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (httpx2.Response(200, html="<h1>Welcome</h1>"), "web page"),
        (httpx2.Response(404, html="<h1>Not found</h1>"), "web page"),
        (httpx2.Response(302, headers={"location": "/login"}), "sends the caller elsewhere"),
        (httpx2.Response(401), "refuses PILOTHOUSE_MODEL_KEY"),
        (httpx2.Response(502), "status 502"),
    ],
)
async def test_what_is_no_model_server_is_unavailable_with_the_reason(
    response: httpx2.Response, says: str
) -> None:
    transport = httpx2.MockTransport(lambda _: response)
    async with httpx2.AsyncClient(transport=transport, base_url="http://me:hidden@model:83/") as client:
        model = OpenAIChatModel(client, ModelSettings())
        with pytest.raises(ModelUnavailable, match=says):
            await model.limits()
    assert model.fault is not None
    assert "The model server at model:83 cannot be used" in model.fault
    assert "hidden" not in model.fault


async def test_the_fault_goes_with_the_first_answer() -> None:
    answers = [httpx2.Response(503)]

    def answer(_: httpx2.Request) -> httpx2.Response:
        return answers.pop() if len(answers) else httpx2.Response(200, json={})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://model/") as client:
        model = OpenAIChatModel(client, ModelSettings())
        answers.append(httpx2.Response(503))
        with pytest.raises(ModelUnavailable):
            await model.limits()
        assert model.fault
        await model.limits()
        assert model.fault is None


async def test_a_page_in_place_of_an_answer_is_not_an_answer() -> None:
    with pytest.raises(ModelUnavailable, match="web page"):
        await ask(server(httpx2.Response(200, html="<h1>Welcome</h1>")))


async def test_a_model_server_that_is_being_replaced_costs_time_and_no_answer() -> None:
    right = server(event("Hello") + event(finish="stop") + "data: [DONE]\n\n")
    refusals = 2

    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal refusals
        if request.method == "POST" and refusals:
            refusals -= 1
            raise httpx2.ConnectError("refused", request=request)
        return right(request)

    deltas = await ask(answer)
    assert "".join(delta.text for delta in deltas) == "Hello"
    assert refusals == 0
