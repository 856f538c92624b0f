"""Which model answers, and whether it does so now."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pilothouse_core.testing import HashEmbedder
from support.corpus import Document, add_collection
from support.database import Database
from support.embedding_server import serve_app
from support.ingest import eventually
from support.stack import free_port

HANDBOOK = [
    Document("Backups", ["The backup runs every night at 2:30.", "Backup copies are kept for 30 days."])
]
Client = Callable[..., AbstractAsyncContextManager[httpx2.AsyncClient]]


async def test_the_model_is_named_while_its_server_answers(query: Client, model_url: str) -> None:
    async with query(model={"url": model_url}) as client:
        found = (await client.get("/v1/status")).json()["model"]
        ready = (await client.get("/readyz")).json()
    assert found == {"name": "scripted", "available": True, "reason": None}
    assert ready == {"ready": True, "missing": {}, "degraded": {}}


async def test_a_server_that_is_away_is_said_to_be(query: Client) -> None:
    async with query(model={"url": f"http://127.0.0.1:{free_port()}"}) as client:
        found = (await client.get("/v1/status")).json()["model"]
    assert (found["name"], found["available"]) == (None, False)
    assert "ConnectError" in found["reason"]


@pytest.fixture
async def page_url() -> AsyncIterator[str]:
    """Some other program at the address: it answers everything with a page for browsers."""

    async def page(_: Request) -> Response:
        return HTMLResponse("<h1>Welcome</h1>")

    app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST"])])
    async with serve_app(app) as url:
        yield url


async def test_an_address_that_answers_with_a_page_is_no_model(
    database: Database, embedder: HashEmbedder, query: Client, page_url: str
) -> None:
    """The answer consists of quotes, and the reason stands where who runs it looks."""
    await add_collection(database.url("pilothouse_ingest"), "handbook", HANDBOOK, embedder)
    async with query(model={"url": page_url}) as client:

        async def ready() -> dict[str, object]:
            response = await client.get("/readyz")
            assert response.status_code == 200
            return dict(response.json())

        told = await eventually(ready, lambda found: bool(found["degraded"]))
        status = (await client.get("/v1/status")).json()["model"]
        question = {"role": "user", "content": "How long are backup copies kept?"}
        body = {"model": "pilothouse", "messages": [question]}
        answer = (await client.post("/v1/chat/completions", json=body)).json()
    assert "/v1/models is a web page (status 200)" in str(told["degraded"])
    assert "PILOTHOUSE_MODEL_URL" in status["reason"]
    assert answer["grounding"]["status"] == "model_unavailable"
    assert answer["citations"]
