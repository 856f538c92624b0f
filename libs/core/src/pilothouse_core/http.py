"""What makes a FastAPI app a Pilothouse service: health, metrics, request ids, problems, guard.

The middlewares are plain ASGI, so that nothing buffers a stream.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilothouse_core import __version__
from pilothouse_core.ids import new_id
from pilothouse_core.problem import Problem, install_problem_handlers, problem_response
from pilothouse_core.settings import ServiceSettings

log = structlog.get_logger()

REQUEST_SECONDS = Histogram(
    "pilothouse_http_request_seconds",
    "Time from a request's first byte to its answer's last, in seconds.",
    ["service", "method", "route", "status"],
)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
READ_METHODS = {"GET", "HEAD", "OPTIONS"}
QUIET_PATHS = {"/livez", "/readyz", "/metrics"}
MAX_BODY_BYTES = 8 * 2**20

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[Any]]
Readiness = Callable[[Request], Awaitable[dict[str, str]]]
Degradation = Callable[[Request], dict[str, str]]


def create_service(
    settings: ServiceSettings,
    *,
    name: str,
    title: str,
    lifespan: Lifespan,
    ready: Readiness,
    degraded: Degradation | None = None,
    description: str = "",
    max_body_bytes: int = MAX_BODY_BYTES,
    streamed: str = "",
    public: bool = False,
) -> FastAPI:
    """An app with everything that all services share; the caller adds its routers.

    `ready` answers `{}` when the service can serve, otherwise part → what is wrong with it; `degraded`
    tells in the same form what it can do without. A `public` service leaves the reasons to its log. Bodies
    are limited, but for paths that match `streamed`, whose routes never hold a whole one.
    """
    # FastAPI's pages for people load their scripts from a third party; /openapi.json stays.
    app = FastAPI(
        title=title,
        version=__version__,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    # Streams without an end watch this, so that a stop does not wait for them.
    app.state.stopping = asyncio.Event()
    install_problem_handlers(app)
    _add_health(app, ready, degraded, public=public)
    app.add_middleware(BodyLimit, most=max_body_bytes, streamed=re.compile(streamed))
    if settings.auth.mode == "local":
        app.add_middleware(HostGuard, names=LOOPBACK_NAMES)
    elif settings.auth.hosts:
        app.add_middleware(HostGuard, names=settings.auth.hosts)
    app.add_middleware(RequestContext, service=name)
    return app


def _add_health(app: FastAPI, ready: Readiness, degraded: Degradation | None, *, public: bool) -> None:
    said: dict[str, str] | None = None

    @app.get("/livez", tags=["health"], response_class=PlainTextResponse)
    async def livez() -> str:
        """The process runs. Touches nothing."""
        return "ok"

    @app.get("/readyz", tags=["health"], responses={503: {"description": "What is missing, part by part"}})
    async def readyz(request: Request) -> JSONResponse:
        """Whether requests can be served now, and if not, why."""
        nonlocal said
        missing = await ready(request)
        if missing != said:
            said = missing
            log.warning("not_ready", **missing) if missing else log.info("ready")
        if public:
            # The reasons name hosts and roles, and anybody may ask.
            missing = dict.fromkeys(missing, "It cannot be used now; the log of this service says why.")
        body = {"ready": not missing, "missing": missing, "degraded": degraded(request) if degraded else {}}
        return JSONResponse(body, status_code=503 if missing else 200)

    @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Prometheus metrics."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def stopping(request: Request) -> asyncio.Event:
    """Set when the service has been asked to stop; endless streams end then."""
    event = request.app.state.stopping
    assert isinstance(event, asyncio.Event)
    return event


class RequestContext:
    """Gives each request an id, one log line and one measurement."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else new_id().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "(none)")
        REQUEST_SECONDS.labels(self.service, scope["method"], route, status).observe(seconds)
        if scope["path"] not in QUIET_PATHS:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round(seconds * 1000, 1),
            )


class HostGuard:
    """Keeps web pages of other sites out of a service that asks nobody who they are.

    A page elsewhere can make the browser send requests to this address (cross-site request)
    or point its own name there (DNS rebinding). The first carries a foreign Origin, the
    second a foreign Host; both are refused.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Probes come by address, and there is nothing behind these paths.
        if scope["type"] == "http" and scope["path"] not in QUIET_PATHS:
            headers = Headers(scope=scope)
            problem = self._objection(scope["method"], headers)
            if problem is not None:
                await problem_response(Request(scope), problem)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _objection(self, method: str, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if re.sub(r":\d+$", "", host).lower() not in self.names:
            return _forbidden(
                f"This service answers only to {', '.join(self.names)}; open the page by that address."
            )
        if method in READ_METHODS:
            return None
        origin = headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2] != host
        if foreign or headers.get("sec-fetch-site") == "cross-site":
            return _forbidden("This request was sent by another web site's page, so it was refused.")
        return None


def _forbidden(detail: str) -> Problem:
    return Problem(status=403, code="foreign_origin", title="Not from this address", detail=detail)


class BodyLimit:
    """Refuses bodies that are too large to be held in memory, before anything of them is read."""

    def __init__(self, app: ASGIApp, most: int, streamed: re.Pattern[str]) -> None:
        self.app = app
        self.most = most
        self.streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self.streamed.fullmatch(scope["path"]):
            problem = self._objection(Headers(scope=scope))
            if problem is not None:
                await problem_response(Request(scope), problem)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _objection(self, headers: Headers) -> Problem | None:
        if "transfer-encoding" in headers:
            return Problem(
                status=411,
                code="length_required",
                title="The request does not say how long it is",
                detail="Send a Content-Length header; chunked bodies are accepted for uploads only.",
            )
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) <= self.most:
            return None
        return Problem(
            status=413,
            code="too_large",
            title="The request is too large",
            detail=f"At most {self.most} bytes are possible here. Upload long texts as documents.",
        )


class _Server(uvicorn.Server):
    """Tells endless streams that the service stops, before waiting for requests to end."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        assert isinstance(app, FastAPI)
        app.state.stopping.set()
        await super().shutdown(sockets)


class _ServerBeside(_Server):
    """Leaves the signals to the program that it stands beside."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Serves until SIGTERM or SIGINT, then lets running requests end within the grace time."""
    _Server(_config(app, settings, settings.server.port)).run()


@asynccontextmanager
async def serving_beside(app: FastAPI, settings: ServiceSettings, *, port: int) -> AsyncIterator[int]:
    """Serves in this event loop while the context is open; the port, also when it was 0."""
    config = _config(app, settings, port)
    server = _ServerBeside(config)
    listener = config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[listener]), name="serve beside")
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


def _config(app: FastAPI, settings: ServiceSettings, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.server.host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whose forwarded headers may be believed is decided with the principal, not here.
        proxy_headers=False,
        timeout_graceful_shutdown=int(settings.server.grace.total_seconds()),
    )
