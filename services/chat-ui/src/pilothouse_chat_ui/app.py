"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI, Request
from starlette.middleware import Middleware

from pilothouse_chat_ui.config.model_status import ModelMonitor
from pilothouse_chat_ui.config.routes import FORMATS
from pilothouse_chat_ui.config.routes import router as config
from pilothouse_chat_ui.dependencies import State
from pilothouse_chat_ui.events.routes import router as events
from pilothouse_chat_ui.events.watching import Watcher
from pilothouse_chat_ui.history.routes import router as history
from pilothouse_chat_ui.ingest.client import open_client
from pilothouse_chat_ui.ingest.routes import router as ingest
from pilothouse_chat_ui.ingest.samples import Samples
from pilothouse_chat_ui.messages.routes import router as messages
from pilothouse_chat_ui.notifications import Hub, listening
from pilothouse_chat_ui.page.files import PageFiles
from pilothouse_chat_ui.page.routes import page_router
from pilothouse_chat_ui.runs.executor import open_executor
from pilothouse_chat_ui.runs.following import Follower
from pilothouse_chat_ui.runs.query_client import QueryClient
from pilothouse_chat_ui.runs.routes import router as runs
from pilothouse_chat_ui.security import RequestGuard, SecurityHeaders
from pilothouse_chat_ui.sessions.routes import router as sessions
from pilothouse_chat_ui.settings import Settings
from pilothouse_core.auth import Authenticator
from pilothouse_core.database import open_pool
from pilothouse_core.http import create_service
from pilothouse_core.problem import PROBLEM_RESPONSES
from pilothouse_core.readiness import database_fault

# What is held here is small; uploads are passed through and limited by ingest.
MAX_BODY_BYTES = 2**20
PASSED_ON_PATHS = r"/api/(?:collections|documents)/.*"


def create_app(
    settings: Settings,
    *,
    query: httpx2.AsyncClient | None = None,
    ingest_client: httpx2.AsyncClient | None = None,
) -> FastAPI:
    """The service. Clients that are given (tests) are used as they are and closed with it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _open_state(app, settings, query, ingest_client) as state:
            app.state.service = state
            yield

    app = create_service(
        settings,
        name="chat-ui",
        title="Pilothouse chat",
        description="Conversations, answers that survive a restart, history, and the page.",
        lifespan=lifespan,
        ready=_ready,
        max_body_bytes=MAX_BODY_BYTES,
        streamed=PASSED_ON_PATHS,
        public=settings.auth.mode != "local",
    )
    # Innermost, so that its refusals have a request id and are logged; the headers go on everything.
    app.user_middleware.append(Middleware(RequestGuard))
    app.add_middleware(SecurityHeaders)
    for router in (sessions, messages, runs, history, events, config):
        app.include_router(router, responses=PROBLEM_RESPONSES)
    app.include_router(ingest)
    app.include_router(page_router(PageFiles(settings.page.path)))
    return app


@asynccontextmanager
async def _open_state(
    app: FastAPI,
    settings: Settings,
    query: httpx2.AsyncClient | None,
    ingest_client: httpx2.AsyncClient | None,
) -> AsyncIterator[State]:
    authenticator = Authenticator(settings.auth)
    hub = Hub()
    stopping = app.state.stopping
    poll, keepalive = settings.run.poll, settings.run.keepalive
    async with (
        query or open_client(str(settings.upstream.query), settings.upstream) as query_http,
        ingest_client or open_client(str(settings.upstream.ingest), settings.upstream) as ingest_http,
        open_pool(settings.database, application_name="chat-ui", search_path="chat, public") as pool,
        listening(hub, settings.database),
        open_executor(
            pool=pool,
            hub=hub,
            source=QueryClient(query_http, authenticator, retry=settings.upstream.retry),
            settings=settings.run,
            stopping=stopping,
        ) as executor,
    ):
        yield State(
            settings=settings,
            authenticator=authenticator,
            pool=pool,
            ingest=ingest_http,
            executor=executor,
            follower=Follower(pool, hub, stopping, poll, keepalive),
            watcher=Watcher(
                pool, hub, stopping, poll, keepalive, settings.stream.max_life, settings.stream.window
            ),
            model=ModelMonitor(query_http),
            samples=Samples(settings.samples.path, FORMATS, ingest_http),
        )


async def _ready(request: Request) -> dict[str, str]:
    """Only the database counts: history can be read while query or ingest is away."""
    state = request.app.state.service
    assert isinstance(state, State)
    fault = await database_fault(state.pool, state.settings.database)
    return {"database": fault} if fault else {}
