"""A small OpenAI-style model server that does what it is told, for tests.

The scenario is the model's name, or `scenario:<name>` somewhere in the last user message. It keeps
what it was asked and which calls were cancelled (`GET /_requests`, `GET /_cancelled`).

    python tests/support/scripted_model.py --port 18390
"""

import argparse
import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

CONTEXT_TOKENS = 4096
SCENARIO = re.compile(r"\bscenario:([a-z-]+)")
SAY = re.compile(r"\bsay:(.+)", re.DOTALL)
PASSAGE = re.compile(r'<passage n="(\d+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
TGI_CONTEXT_ERROR = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 9001"


@dataclass
class ScriptedModel:
    """The server's memory. `delay` is the pause between tokens of the `slow` scenario, in seconds."""

    scenario: str = "cites"
    context_tokens: int = CONTEXT_TOKENS
    delay: float = 0.05
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    cancellation: threading.Event = field(default_factory=threading.Event)

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/models", self._models),
                Route("/info", self._info),
                Route("/health", self._health),
                Route("/livez", self._health),
                Route("/readyz", self._health),
                Route("/_requests", self._requests),
                Route("/_cancelled", self._cancelled),
            ]
        )

    async def _health(self, _: Request) -> Response:
        return Response("ok")

    async def _info(self, _: Request) -> Response:
        limits = {"max_total_tokens": self.context_tokens, "max_input_tokens": self.context_tokens - 512}
        return JSONResponse({"model_id": "scripted", **limits})

    async def _models(self, _: Request) -> Response:
        names = ["scripted", *SCENARIOS, *REFUSALS]
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    async def _requests(self, _: Request) -> Response:
        return JSONResponse(self.requests)

    async def _cancelled(self, _: Request) -> Response:
        return JSONResponse(self.cancelled)

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        self.asked.set()
        # A stopped answer goes on with a message of its own after the one that has the passages.
        contents = [str(message["content"]) for message in body["messages"]]
        prompt = next((text for text in reversed(contents) if PASSAGE.search(text)), contents[-1])
        scenario = self._scenario(body, prompt)
        if scenario in REFUSALS:
            status, error = REFUSALS[scenario]
            return JSONResponse(error, status_code=status)
        if scenario == "context-half" and len(self.requests) % 2:
            return JSONResponse(REFUSALS["huge-context-error"][1], status_code=422)
        pieces = self._watched(scenario, prompt)
        if body.get("stream"):
            return StreamingResponse(_events(pieces, body), media_type="text/event-stream")
        text = "".join([piece async for piece in pieces])
        message = {"role": "assistant", "content": text}
        return JSONResponse(
            {
                "id": "scripted",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": _usage(body, text),
            }
        )

    def _scenario(self, body: dict[str, Any], prompt: str) -> str:
        question = prompt.rpartition("Question:")[2]
        marked = SCENARIO.search(question)
        if marked:
            return marked.group(1)
        if SAY.search(question):
            return "say"
        named = body.get("model", "")
        return named if named in SCENARIOS or named in REFUSALS else self.scenario

    async def _watched(self, scenario: str, prompt: str) -> AsyncIterator[str]:
        complete = False
        try:
            async for piece in SCENARIOS.get(scenario, _cites)(self, prompt):
                yield piece
            complete = True
        except _Breaks:
            complete = True
            raise
        finally:
            if not complete:
                self.cancelled.append(scenario)
                self.cancellation.set()


class _Breaks(Exception):
    """Makes the connection break in the middle of an answer."""


class _ErrorEvent(Exception):
    """Makes an error appear inside a stream that began with 200, as TGI does."""


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


async def _plain(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    for word in _words("Whales sing at dusk. Nobody wrote that down."):
        yield word


async def _cites(_: ScriptedModel, prompt: str) -> AsyncIterator[str]:
    """Repeats the first sentence of each of the first two passages, with its number."""
    for number, text in PASSAGE.findall(prompt)[:2]:
        sentence = re.split(r"(?<=[.!?。])\s*", " ".join(text.split()))[0]
        for word in _words(sentence.rstrip(".!?。")):
            yield word
        yield f" [{number}]. "


async def _bad_cites(_: ScriptedModel, prompt: str) -> AsyncIterator[str]:
    number, text = (PASSAGE.findall(prompt) or [("1", "Nothing.")])[0]
    sentence = re.split(r"(?<=[.!?。])\s*", " ".join(text.split()))[0].rstrip(".!?。")
    yield f"{sentence} [{number}, 42]. "
    yield "Whales sing at dusk [99]."


async def _slow(model: ScriptedModel, prompt: str) -> AsyncIterator[str]:
    async for piece in _cites(model, prompt):
        await asyncio.sleep(model.delay)
        yield piece


async def _error_middle(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    yield "This answer breaks "
    yield "off in "
    raise _Breaks


async def _error_event(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    yield "This answer "
    raise _ErrorEvent


async def _never_ends(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    yield "And so "
    await asyncio.Event().wait()


async def _silent(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    await asyncio.Event().wait()
    yield ""


async def _empty(_: ScriptedModel, __: str) -> AsyncIterator[str]:
    yield ""


async def _say(_: ScriptedModel, prompt: str) -> AsyncIterator[str]:
    """Writes what stands after `say:` in the question."""
    said = SAY.search(prompt.rpartition("Question:")[2])
    for word in _words(said.group(1) if said else ""):
        yield word


Scenario = Callable[[ScriptedModel, str], AsyncIterator[str]]
SCENARIOS: dict[str, Scenario] = {
    "plain": _plain,
    "cites": _cites,
    "bad-cites": _bad_cites,
    "slow": _slow,
    "error-middle": _error_middle,
    "error-event": _error_event,
    "never-ends": _never_ends,
    "silent": _silent,
    "empty": _empty,
    "say": _say,
    "context-half": _cites,
}
REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "error-before": (503, {"error": "Model is overloaded", "error_type": "overloaded"}),
    "huge-context-error": (422, {"error": TGI_CONTEXT_ERROR, "error_type": "validation"}),
}


async def _events(pieces: AsyncIterator[str], body: dict[str, Any]) -> AsyncIterator[str]:
    text = ""
    try:
        async for piece in pieces:
            text += piece
            yield _event(body, {"content": piece}, None)
    except _ErrorEvent:
        yield f"data: {json.dumps({'error': 'CUDA out of memory', 'error_type': 'generation'})}\n\n"
        return
    yield _event(body, {}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield f"data: {json.dumps({'choices': [], 'usage': _usage(body, text)})}\n\n"
    yield "data: [DONE]\n\n"


def _event(body: dict[str, Any], delta: dict[str, str], finish_reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
    return f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n"


def _usage(body: dict[str, Any], text: str) -> dict[str, int]:
    prompt = sum(len(str(message["content"]).split()) for message in body["messages"])
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(text.split()),
        "total_tokens": prompt + len(text.split()),
    }


@contextmanager
def serve_scripted_model(model: ScriptedModel) -> Iterator[str]:
    """Serves the model on a free port in a thread of its own; gives the base URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # connections wait until the server's thread has started
    config = uvicorn.Config(model.app(), log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def main() -> None:
    """Serves until stopped."""
    parser = argparse.ArgumentParser(description="A scripted OpenAI-style model server for tests.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scenario", default="cites", choices=sorted({*SCENARIOS, *REFUSALS}))
    arguments = parser.parse_args()
    model = ScriptedModel(scenario=arguments.scenario)
    uvicorn.run(model.app(), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
