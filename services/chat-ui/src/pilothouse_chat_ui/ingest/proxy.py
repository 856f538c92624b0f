"""Passes requests on to the ingest service and its answers back, as streams in both directions."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import unquote

import httpx2
import structlog
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from pilothouse_chat_ui.ingest.client import ingest_unavailable
from pilothouse_core.auth import Authenticator, Principal
from pilothouse_core.problem import Problem, request_id

log = structlog.get_logger()

# A lost answer to these may be asked for again.
REPEATABLE = {"GET", "HEAD", "PUT", "DELETE"}
# Only what ingest needs is passed on: no cookie, no authorization, no Origin of the browser.
PASSED_ON = (
    "accept",
    "accept-language",
    "content-length",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "last-event-id",
    "range",
    "user-agent",
)
# Hop-by-hop (RFC 9110 7.6.1), or said by this service itself.
KEPT_BACK = {
    "connection",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
}
CONTENT = re.compile(r"/v1/documents/[^/]+/content")
# A document is somebody's file: in our origin it may neither run nor load anything.
SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
# Some browsers' PDF viewers do not start in a sandbox; they run in an origin of their own anyway.
PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


class _Passed(StreamingResponse):
    """An answer that is passed on; however it ends, the connection upstream is closed."""

    def __init__(self, upstream: httpx2.Response, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(_body(upstream), status_code=upstream.status_code)
        self.raw_headers = headers
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._upstream.aclose()


async def pass_on(
    request: Request,
    principal: Principal,
    *,
    client: httpx2.AsyncClient,
    authenticator: Authenticator,
    retry: timedelta,
) -> Response:
    """Ingest's answer to this request. Raises `Problem` when there is none.

    One that did not arrive is sent again for a while: a replica may just be being replaced.
    """
    path = _upstream_path(request)
    url = client.base_url.copy_with(raw_path=path.encode("ascii") + _query(request))
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    headers |= {"accept-encoding": "identity", "x-request-id": request_id(request)}
    headers |= authenticator.headers(principal)
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    deadline = time.monotonic() + retry.total_seconds()
    lost = False
    while True:
        upstream = client.build_request(
            request.method,
            url,
            headers=headers,
            content=request.stream() if has_body else None,
            # The silence between two events of a stream may be long; the browser's leaving ends it.
            timeout=_without_read_timeout(client) if path.endswith("/events") else client.timeout,
        )
        try:
            response = await client.send(upstream, stream=True)
            if lost and request.method == "DELETE" and response.status_code == 404:
                # The first one has deleted it; only its answer was lost.
                await response.aclose()
                return Response(status_code=204)
            return _Passed(response, _headers_back(path, response))
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody is there to read it.
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as exc:
            # Nothing has been sent, not even of an upload.
            log.warning("ingest_unreachable", error=repr(exc))
            if time.monotonic() >= deadline:
                raise ingest_unavailable(503) from exc
        except httpx2.PoolTimeout as exc:
            raise ingest_unavailable(503) from exc
        except httpx2.TransportError as exc:
            log.warning("ingest_broke_off", error=repr(exc))
            timed_out = isinstance(exc, httpx2.TimeoutException)
            if has_body or request.method not in REPEATABLE or timed_out or time.monotonic() >= deadline:
                raise ingest_unavailable(502) from exc
            lost = True
        await asyncio.sleep(random.uniform(0.1, 0.5))  # noqa: S311  not all at the same moment


def _upstream_path(request: Request) -> str:
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii", errors="replace").partition("?")[0]
    # Decoded first: what is between us and ingest may take %2f for a slash.
    if any(segment in (".", "..") for segment in unquote(path).split("/")) or "\ufffd" in path:
        raise Problem(
            status=404, code="not_found", title="Not Found", detail="There is nothing at this address."
        )
    return "/v1" + path.removeprefix("/api")


def _query(request: Request) -> bytes:
    query = request.scope["query_string"]
    assert isinstance(query, bytes)
    return b"?" + query if query else b""


def _without_read_timeout(client: httpx2.AsyncClient) -> httpx2.Timeout:
    given = client.timeout
    return httpx2.Timeout(connect=given.connect, write=given.write, pool=given.pool, read=None)


def _headers_back(path: str, response: httpx2.Response) -> list[tuple[bytes, bytes]]:
    hop = {name.strip().lower() for name in response.headers.get("connection", "").split(",")}
    headers = [
        (name.lower(), value)
        for name, value in response.headers.raw
        if name.decode("latin-1").lower() not in KEPT_BACK | hop
    ]
    if "location" in response.headers:
        location = response.headers["location"]
        headers = [(name, value) for name, value in headers if name != b"location"]
        headers.append((b"location", re.sub(r"^/v1/", "/api/", location).encode("latin-1")))
    if CONTENT.fullmatch(path):
        is_pdf = response.headers.get("content-type", "").partition(";")[0].strip() == "application/pdf"
        ours = {
            b"content-security-policy": (PDF if is_pdf else SANDBOX).encode(),
            b"x-content-type-options": b"nosniff",
        }
        headers = [(name, value) for name, value in headers if name not in ours] + list(ours.items())
    return headers


async def _body(upstream: httpx2.Response) -> AsyncIterator[bytes]:
    endless = upstream.headers.get("content-type", "").startswith("text/event-stream")
    try:
        async for chunk in upstream.aiter_raw():
            yield chunk
    except httpx2.TransportError as exc:
        log.warning("ingest_broke_off", error=repr(exc))
        if not endless:
            raise  # The connection is cut, so that half a file does not look like a whole one.
