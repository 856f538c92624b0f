"""Requests that go through to ingest: streamed both ways, in the caller's name, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from integration.chat_ui.replicas import KEY, serving, until
from pilothouse_chat_ui.ingest.client import open_client
from pilothouse_chat_ui.ingest.proxy import pass_on
from pilothouse_chat_ui.settings import UpstreamSettings
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.problem import install_problem_handlers
from support.embedding_server import serve_app
from support.stack import free_port


@dataclass(slots=True)
class Ingest:
    """An ingest service that remembers what it was sent and answers as told."""

    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes | asyncio.Event] = field(default_factory=lambda: [b"{}"])
    answers_after: int | None = None  # bytes of the body; None: all of it
    received: bytearray = field(default_factory=bytearray)
    scope: Scope = field(default_factory=dict)
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        while self.answers_after is None or len(self.received) < self.answers_after:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            self.received += message.get("body", b"")
            self.progress.set()
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for piece in self.pieces:
            if isinstance(piece, bytes):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            elif not await self._opened(piece, receive):
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _opened(self, gate: asyncio.Event, receive: Receive) -> bool:
        opened, left = asyncio.ensure_future(gate.wait()), asyncio.ensure_future(receive())
        await asyncio.wait([opened, left], return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if left.done():
            self.gone.set()
        left.cancel()
        return not self.gone.is_set()

    def header(self, name: str) -> str | None:
        found = dict(self.scope["headers"]).get(name.encode())
        return found.decode() if found is not None else None


@pytest.fixture
def ingest() -> Ingest:
    return Ingest()


@pytest.fixture
async def browser(ingest: Ingest) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(ingest, lifespan=False) as url, passing_on_to(url) as client:
        yield client


@asynccontextmanager
async def passing_on_to(ingest_url: str, *, retry: float = 0.3) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser in front of nothing but the passing on."""
    app = FastAPI()
    install_problem_handlers(app)
    app.state.stopping = asyncio.Event()
    authenticator = Authenticator(AuthSettings(mode="token", key=KEY))

    @app.api_route("/api/{rest:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    async def route(request: Request) -> Response:
        return await pass_on(
            request,
            Principal("ann"),
            client=upstream,
            authenticator=authenticator,
            retry=timedelta(seconds=retry),
        )

    async with (
        open_client(ingest_url, UpstreamSettings()) as upstream,
        serving(app, lifespan=False) as url,
        httpx2.AsyncClient(base_url=url, timeout=20, trust_env=False) as client,
    ):
        yield client


async def test_path_and_query_arrive_as_they_were_sent(browser: httpx2.AsyncClient, ingest: Ingest) -> None:
    await browser.get("/api/collections/a%2Fb%20c/documents?status=failed&q=%E9%80%81")
    assert ingest.scope["raw_path"] == b"/v1/collections/a%2Fb%20c/documents"
    assert ingest.scope["query_string"] == b"status=failed&q=%E9%80%81"


async def test_ingest_sees_the_person_and_nothing_of_the_browsers_secrets(
    browser: httpx2.AsyncClient, ingest: Ingest
) -> None:
    await browser.get(
        "/api/collections",
        headers={
            "cookie": "session=secret",
            "authorization": "Basic c2VjcmV0",
            "origin": "http://127.0.0.1:8080",
            "range": "bytes=0-9",
            "x-forwarded-for": "1.2.3.4",
        },
    )
    assert ingest.header("cookie") is None
    assert ingest.header("origin") is None
    assert ingest.header("x-forwarded-for") is None
    assert ingest.header("range") == "bytes=0-9"
    token = ingest.header("authorization")
    assert token is not None
    assert token.startswith("Bearer ")


async def test_status_and_headers_come_back_without_those_of_the_hop(
    browser: httpx2.AsyncClient, ingest: Ingest
) -> None:
    ingest.status = 202
    ingest.headers = [
        (b"content-type", b"application/json"),
        (b"location", b"/v1/documents/7"),
        (b"set-cookie", b"a=b"),
        (b"connection", b"x-hop"),
        (b"x-hop", b"1"),
        (b"x-text-total", b"99"),
        (b"etag", b'"v1"'),
    ]
    response = await browser.post("/api/collections/c/documents", content=b"bytes")
    assert response.status_code == 202
    assert response.headers["location"] == "/api/documents/7"
    assert response.headers["x-text-total"] == "99"
    assert response.headers["etag"] == '"v1"'
    assert "set-cookie" not in response.headers
    assert "x-hop" not in response.headers


async def test_an_upload_is_passed_on_while_it_arrives(browser: httpx2.AsyncClient, ingest: Ingest) -> None:
    async def slow_file() -> AsyncIterator[bytes]:
        yield b"first half, "
        # Nothing is held back: ingest has the first half before the second is sent.
        await asyncio.wait_for(ingest.progress.wait(), 10)
        yield b"second half"

    response = await browser.post("/api/collections/c/documents", content=slow_file())
    assert response.status_code == 200
    assert ingest.received == b"first half, second half"


async def test_an_upload_that_is_given_up_is_given_up_at_ingest(
    browser: httpx2.AsyncClient, ingest: Ingest
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"first half"
        await asyncio.Event().wait()

    upload = asyncio.create_task(browser.post("/api/collections/c/documents", content=endless()))
    await asyncio.wait_for(ingest.progress.wait(), 10)
    upload.cancel()
    await asyncio.wait_for(ingest.gone.wait(), 10)


async def test_a_refusal_in_the_middle_of_an_upload_comes_back(
    browser: httpx2.AsyncClient, ingest: Ingest
) -> None:
    ingest.status, ingest.answers_after = 413, 1
    ingest.headers = [(b"content-type", b"application/problem+json")]
    ingest.pieces = [b'{"code": "too_large"}']
    response = await browser.post("/api/collections/c/documents", content=b"x" * 300_000)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_events_arrive_one_by_one_and_leaving_ends_them(
    browser: httpx2.AsyncClient, ingest: Ingest
) -> None:
    ingest.headers = [(b"content-type", b"text/event-stream")]
    ingest.pieces = [b"data: 1\n\n", asyncio.Event()]
    async with browser.stream("GET", "/api/collections/c/events") as response:
        async with asyncio.timeout(10):
            event = await anext(aiter(httpx2.EventSource(response)))
        assert event.data == "1"
        assert not ingest.gone.is_set()
    await asyncio.wait_for(ingest.gone.wait(), 10)


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "image/svg+xml", "application/pdf"])
async def test_a_document_cannot_run_in_our_origin(
    browser: httpx2.AsyncClient, ingest: Ingest, content_type: str
) -> None:
    ingest.headers = [
        (b"content-type", content_type.encode()),
        (b"content-security-policy", b"default-src *"),
        (b"x-content-type-options", b"nosniff"),
    ]
    ingest.pieces = [b"<script>alert(1)</script>"]
    response = await browser.get("/api/documents/7/content")
    policies = response.headers.get_list("content-security-policy")
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'")
    assert "script-src" not in policies[0]
    assert ("sandbox" in policies[0]) == (content_type != "application/pdf")
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/api/documents/../../metrics",
        "/api/documents/%2e%2e/metrics",
        "/api/documents/..%2f..%2fmetrics",
        "/api/documents/.",
    ],
)
async def test_a_path_cannot_leave_its_place(browser: httpx2.AsyncClient, ingest: Ingest, path: str) -> None:
    # The client would tidy the path up, so the request is written by hand.
    host, port = browser.base_url.host, browser.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n".encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    await writer.wait_closed()
    assert status == b"404"
    assert ingest.scope == {}


async def test_a_broken_download_does_not_look_complete(browser: httpx2.AsyncClient, ingest: Ingest) -> None:
    ingest.headers = [(b"content-type", b"text/plain"), (b"content-length", b"100")]
    ingest.pieces = [b"only a part"]
    with pytest.raises(httpx2.RemoteProtocolError):
        await browser.get("/api/documents/7/content")


async def test_an_ingest_service_that_is_away_is_named() -> None:
    async with passing_on_to("http://127.0.0.1:9") as browser:
        response = await browser.get("/api/collections")
    assert (response.status_code, response.json()["code"]) == (503, "ingest_unavailable")
    assert "Try again" in response.json()["detail"]


async def test_a_replica_that_is_being_replaced_costs_time_and_no_upload() -> None:
    port = free_port()
    ingest = Ingest()
    async with passing_on_to(f"http://127.0.0.1:{port}", retry=30) as browser:
        with capture_logs() as lines:
            uploading = asyncio.create_task(browser.post("/api/collections/a/documents", content=b"words"))
            await until(lambda: any(line["event"] == "ingest_unreachable" for line in lines))
        async with serve_app(ingest, port=port):
            response = await uploading
    assert response.status_code == 200
    assert bytes(ingest.received) == b"words"


@asynccontextmanager
async def dying(deaths: int, status: bytes = b"200 OK") -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on a socket that hangs up on the first requests; its address and what it was sent."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if len(heads) > deaths:
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


@pytest.mark.parametrize(
    ("method", "content", "status", "sent"),
    [("GET", None, 200, 3), ("DELETE", None, 200, 3), ("POST", None, 502, 1), ("PUT", b"{}", 502, 1)],
)
async def test_only_what_may_be_sent_twice_is_sent_again(
    method: str, content: bytes | None, status: int, sent: int
) -> None:
    async with dying(2) as (url, heads), passing_on_to(url, retry=30) as browser:
        response = await browser.request(method, "/api/collections/a", content=content)
    assert response.status_code == status
    assert len(heads) == sent


@pytest.mark.parametrize(
    ("method", "deaths", "status"), [("DELETE", 1, 204), ("DELETE", 0, 404), ("GET", 1, 404)]
)
async def test_what_a_deletion_with_a_lost_answer_has_deleted_is_not_reported_missing(
    method: str, deaths: int, status: int
) -> None:
    async with dying(deaths, b"404 Not Found") as (url, _), passing_on_to(url, retry=30) as browser:
        response = await browser.request(method, "/api/documents/7")
    assert response.status_code == status
