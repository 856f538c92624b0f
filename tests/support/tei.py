"""A server on the wire of Text Embeddings Inference, with vectors that need no model."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from pilothouse_core.testing import HashEmbedder


@asynccontextmanager
async def serve_embeddings() -> AsyncIterator[str]:
    """The address of a server of the test's own."""
    embedder = HashEmbedder()
    app = FastAPI()

    @app.get("/info")
    async def info() -> dict[str, Any]:
        return {
            "model_id": embedder.model,
            "max_input_length": embedder.max_tokens,
            "max_client_batch_size": 32,
        }

    @app.post("/embed")
    async def embed(request: Request) -> list[list[float]]:
        vectors = await embedder.embed_documents((await request.json())["inputs"])
        return [[float(number) for number in vector] for vector in vectors]

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
