"""What every service answers: health, request ids, problems, and nothing to foreign pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel, SecretStr
from starlette.requests import ClientDisconnect

from pilothouse_core import problem
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.http import create_service
from pilothouse_core.problem import Problem
from pilothouse_core.settings import ServiceSettings

missing: dict[str, str] = {}


class Body(BaseModel):
    count: int


@asynccontextmanager
async def nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


async def ready(request: Request) -> dict[str, str]:
    return missing


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = create_service(ServiceSettings(), name="test", title="Test", lifespan=nothing, ready=ready)

    @app.post("/count")
    async def count(body: Body) -> int:
        return body.count

    @app.get("/teapot")
    async def teapot() -> None:
        raise Problem(status=418, code="teapot", title="A teapot", detail="Ask for tea.", kettle="on")

    @app.post("/left")
    async def left() -> None:
        raise ClientDisconnect

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret words")

    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def test_health(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await client.get("/livez")).text == "ok"
    assert (await client.get("/readyz")).json() == {"ready": True, "missing": {}, "degraded": {}}
    monkeypatch.setitem(missing, "database", "cannot be reached")
    not_ready = await client.get("/readyz")
    assert not_ready.status_code == 503
    assert not_ready.json()["missing"] == {"database": "cannot be reached"}
    assert (await client.get("/livez")).status_code == 200
    assert "pilothouse_http_request_seconds_bucket" in (await client.get("/metrics")).text


async def test_a_problem_has_all_its_members(client: httpx2.AsyncClient) -> None:
    response = await client.get("/teapot", headers={"x-request-id": "abc-1"})
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "abc-1"
    assert response.json() == {
        "type": "urn:pilothouse:problem:teapot",
        "title": "A teapot",
        "status": 418,
        "detail": "Ask for tea.",
        "instance": "/teapot",
        "code": "teapot",
        "request_id": "abc-1",
        "kettle": "on",
    }


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "code"),
    [
        ("POST", "/count", b"{", 400, "malformed_json"),
        ("POST", "/count", b'{"count": "\xff"}', 400, "malformed_json"),
        ("POST", "/count", b"[" * 50_000, 400, "malformed_json"),
        ("POST", "/count", b'{"count": "many"}', 422, "invalid_request"),
        ("GET", "/nowhere", b"", 404, "not_found"),
        ("DELETE", "/count", b"", 405, "method_not_allowed"),
        ("GET", "/broken", b"", 500, "internal_error"),
    ],
)
async def test_every_error_is_a_problem(
    client: httpx2.AsyncClient, method: str, path: str, content: bytes, status: int, code: str
) -> None:
    response = await client.request(
        method, path, content=content, headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "secret words" not in response.text
    assert response.json()["request_id"]


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_error(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[str] = []
    monkeypatch.setattr(problem.log, "error", lambda event, **_: errors.append(event), raising=False)
    response = await client.post("/left")
    assert (response.status_code, response.content) == (499, b"")
    assert errors == []


async def test_a_body_too_large_to_hold_is_refused_unread(client: httpx2.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65_536

    declared = await client.post("/count", content=endless(), headers={"content-length": str(2**30)})
    assert (declared.status_code, declared.json()["code"]) == (413, "too_large")
    chunked = await client.post("/count", content=endless())
    assert (chunked.status_code, chunked.json()["code"]) == (411, "length_required")
    assert declared.json()["request_id"]
    assert read == 0


async def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: httpx2.AsyncClient) -> None:
    response = await client.get("/livez", headers={"x-request-id": "a b"})
    assert response.headers["x-request-id"] != "a b"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example:8000"}, 403),
        ({"host": "localhost:8000"}, 200),
    ],
)
async def test_local_mode_refuses_other_sites_pages(
    client: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    response = await client.post("/count", json={"count": 1}, headers=headers)
    assert response.status_code == status


async def test_a_service_with_names_answers_to_no_other_but_for_probes() -> None:
    settings = ServiceSettings(
        auth=AuthSettings(mode="token", key=SecretStr("k" * 32), hosts=("chat.example",))
    )
    app = create_service(settings, name="test", title="Test", lifespan=nothing, ready=ready)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as client:
        named = await client.get("http://Chat.example:8080/openapi.json")
        pointed = await client.get("http://rebound.example:8080/openapi.json")
        probed = await client.get("http://10.244.0.7:8080/livez")
    assert (named.status_code, probed.status_code) == (200, 200)
    assert (pointed.status_code, pointed.json()["code"]) == (403, "foreign_origin")
