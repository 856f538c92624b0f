"""An embedding server on a real port, which may come late, change its model, or answer nonsense."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pilothouse_core.testing import HashEmbedder


@dataclass
class EmbeddingServer:
    """Serves this model, but no text with `poison`; `instead` is answered to everything while it is set.

    The first `busy_times` texts are refused for lack of time.
    """

    embedder: HashEmbedder = field(default_factory=HashEmbedder)
    instead: Response | None = None
    busy_times: int = 0
    keys: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """On the wire of Text Embeddings Inference."""
        return Starlette(routes=[Route("/info", self._info), Route("/embed", self._embed, methods=["POST"])])

    async def _info(self, request: Request) -> Response:
        self.keys.append(request.headers.get("authorization", ""))
        if self.instead is not None:
            return self.instead
        limits = {"max_input_length": self.embedder.max_tokens, "max_client_batch_size": 32}
        return JSONResponse({"model_id": self.embedder.model, **limits})

    async def _embed(self, request: Request) -> Response:
        if self.instead is not None:
            return self.instead
        texts = (await request.json())["inputs"]
        if self.busy_times and texts != ["dimension"]:
            self.busy_times -= 1
            return Response(status_code=429)
        if any("poison" in text for text in texts):
            return JSONResponse({"error": "inference failed", "error_type": "Backend"}, status_code=424)
        vectors = await self.embedder.embed_documents(texts)
        return JSONResponse([[float(number) for number in vector] for vector in vectors])


class _Server(uvicorn.Server):
    """Has a main loop that ends at once when asked, and leaves the test run's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()


@asynccontextmanager
async def serve_app(app: ASGIApp, *, port: int = 0) -> AsyncIterator[str]:
    """The app's address while the context is open."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    listener = config.bind_socket()
    listener.listen()  # connections wait until the server has started
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop.set()
        await task


def serve_embeddings() -> AbstractAsyncContextManager[str]:
    """The address of an embedding server of the test's own."""
    return serve_app(EmbeddingServer().app())
