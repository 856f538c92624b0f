"""What Pilothouse adds to the time until a model's first token.

    PILOTHOUSE_DATABASE_URL=… python bench/chat.py --model-url http://127.0.0.1:8083 --queries questions.txt

Starts a query service of its own whose model address is a forwarder in this process. The forwarder
times the model server's first token of the very same call, so prompt, caches and load are equal:

    added = first token at the client - first token at the forwarder's upstream

Milliseconds, 50th and 95th percentile.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route


class Forwarder:
    """Passes everything to the model server and remembers how long its first token took."""

    def __init__(self, upstream: httpx2.AsyncClient) -> None:
        self._upstream = upstream
        self.first_token_ms: list[float] = []

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(routes=[Route("/{path:path}", self._forward, methods=["GET", "POST"])])

    async def _forward(self, request: Request) -> Response:
        path = request.path_params["path"]
        if not path.endswith("chat/completions"):
            answer = await self._upstream.request(request.method, path)
            return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))
        return StreamingResponse(self._stream(path, await request.body()), media_type="text/event-stream")

    async def _stream(self, path: str, body: bytes) -> AsyncIterator[bytes]:
        started, waiting = time.perf_counter(), True
        headers = {"content-type": "application/json"}
        async with self._upstream.stream("POST", path, content=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if waiting and has_text(line):
                    self.first_token_ms.append((time.perf_counter() - started) * 1000)
                    waiting = False
                yield f"{line}\n".encode()


def has_text(line: str) -> bool:
    """Whether an event carries the first words of an answer."""
    return line.startswith("data: {") and '"content":' in line and '"content":""' not in line.replace(" ", "")


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serves an app on a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def query_service(model_url: str) -> AsyncIterator[str]:
    """A query service with this model address, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PILOTHOUSE_SERVER_PORT": str(port),
        "PILOTHOUSE_MODEL_URL": model_url,
        "PILOTHOUSE_LOG_LEVEL": "WARNING",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "pilothouse_query", env=environment)
    try:
        # The port opens when the service is ready; until then connecting is tried again, ever more slowly.
        transport = httpx2.AsyncHTTPTransport(retries=9)
        async with httpx2.AsyncClient(transport=transport, timeout=30) as client:
            (await client.get(f"http://127.0.0.1:{port}/readyz")).raise_for_status()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def first_text(client: httpx2.AsyncClient, question: str) -> float:
    """Milliseconds until the first words of an answer; the rest is read, so that calls do not overlap."""
    body = {"model": "pilothouse", "stream": True, "messages": [{"role": "user", "content": question}]}
    started, first = time.perf_counter(), 0.0
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if not first and has_text(line):
                first = (time.perf_counter() - started) * 1000
    return first


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """50th and 95th percentile."""
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p95": ordered[int(0.95 * (len(ordered) - 1))]}


async def run(model_url: str, questions: Sequence[str]) -> dict[str, dict[str, float]]:
    """Asks each question once, after one that warms up; milliseconds to the first token."""
    async with httpx2.AsyncClient(base_url=f"{model_url.rstrip('/')}/", timeout=300) as upstream:
        forwarder = Forwarder(upstream)
        through = []
        async with (
            serving(forwarder.app()) as address,
            query_service(address) as url,
            httpx2.AsyncClient(base_url=url, timeout=300) as client,
        ):
            await first_text(client, questions[0])
            forwarder.first_token_ms.clear()
            for question in questions:
                asked = len(forwarder.first_token_ms)
                elapsed = await first_text(client, question)
                if len(forwarder.first_token_ms) > asked:  # the model was asked and answered
                    through.append(elapsed)
    if not through:
        sys.exit("No question was answered by the model: are documents indexed, and does the server run?")
    added = [whole - model for whole, model in zip(through, forwarder.first_token_ms, strict=True)]
    print(f"{len(through)} of {len(questions)} questions went to the model; time to the first token in ms")
    return {
        "through query": percentiles(through),
        "model alone": percentiles(forwarder.first_token_ms),
        "added": percentiles(added),
    }


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description="Time what Pilothouse adds to the first token.")
    parser.add_argument("--model-url", default="http://127.0.0.1:8083")
    parser.add_argument("--queries", type=Path, required=True, help="a text file, one question a line")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    lines = given.queries.read_text(encoding="utf-8").splitlines()
    questions = [line.strip() for line in lines if line.strip()]
    if not questions:
        sys.exit(f"{given.queries} holds no questions.")
    found = asyncio.run(run(given.model_url, questions))
    for name, values in found.items():
        print(f"  {name:14} p50 {values['p50']:8.1f}  p95 {values['p95']:8.1f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
