"""The page's files and addresses, the headers on everything, and who may send requests."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from pilothouse_chat_ui.app import create_app
from pilothouse_chat_ui.security import CONTENT_SECURITY_POLICY
from pilothouse_chat_ui.settings import PageSettings, Settings
from pilothouse_core.auth_settings import AuthSettings

SCRIPT = "console.log('page');" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "static" / "assets").mkdir(parents=True)
    (tmp_path / "static" / "index.html").write_text("<!doctype html><title>Pilothouse</title>")
    (tmp_path / "static" / "favicon.svg").write_text("<svg/>")
    (tmp_path / "static" / "assets" / "index-abc123.js").write_text(SCRIPT)
    (tmp_path / "secret.txt").write_text("not for the page")
    return tmp_path / "static"


@pytest.fixture
async def client(built: Path) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(Settings(page=PageSettings(path=built))))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/s/0192-abc", "/documents", "/documents/default"])
async def test_the_pages_addresses_give_the_page(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert "<title>Pilothouse</title>" in response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert (await client.head(path)).status_code == 200


async def test_hashed_files_are_kept_for_ever_and_sent_compressed(client: httpx2.AsyncClient) -> None:
    response = await client.get("/assets/index-abc123.js", headers={"accept-encoding": "gzip"})
    assert response.text == SCRIPT
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < len(SCRIPT)
    plain = await client.get("/assets/index-abc123.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_an_unchanged_file_is_not_sent_again(client: httpx2.AsyncClient) -> None:
    etag = (await client.get("/")).headers["etag"]
    assert (await client.get("/", headers={"if-none-match": etag})).status_code == 304


async def test_a_new_build_is_found_while_running(client: httpx2.AsyncClient, built: Path) -> None:
    await client.get("/")
    (built / "index.html").write_text("<title>New build</title>")
    assert "New build" in (await client.get("/")).text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/assets/nothing.js",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/a%00b",
        "/" + "a" * 3000,
    ],
)
async def test_other_files_are_not_there(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


async def test_an_unbuilt_page_says_what_to_do(tmp_path: Path) -> None:
    transport = httpx2.ASGITransport(create_app(Settings(page=PageSettings(path=tmp_path / "none"))))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        response = await client.get("/")
    assert response.status_code == 503
    assert "make web" in response.text


@pytest.mark.parametrize("path", ["/", "/livez", "/api/nothing"])
async def test_every_response_carries_the_headers(client: httpx2.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "microphone=()" in headers["permissions-policy"]


async def test_unknown_api_addresses_are_problems_not_pages(client: httpx2.AsyncClient) -> None:
    response = await client.get("/api/nothing/here")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8080"},
    ],
)
async def test_other_sites_pages_change_nothing(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.post("/api/sessions", json={}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (403, "foreign_origin")
    assert response.json()["request_id"]


async def test_an_origin_that_is_no_address_is_refused_too(built: Path) -> None:
    token = AuthSettings(mode="token", key=SecretStr("k" * 32))
    app = create_app(Settings(page=PageSettings(path=built), auth=token))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="https://chat.example"
    ) as client:
        response = await client.post("/api/sessions", json={}, headers={"origin": "http://["})
    assert (response.status_code, response.json()["code"]) == (403, "foreign_origin")


async def test_a_large_body_is_refused_before_it_is_read(client: httpx2.AsyncClient) -> None:
    response = await client.post("/api/sessions", content=b"x" * 1_100_000)
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_a_body_without_a_length_is_refused(client: httpx2.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}"

    response = await client.post("/api/sessions", content=pieces())
    assert (response.status_code, response.json()["code"]) == (411, "length_required")
