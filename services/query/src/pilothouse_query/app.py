"""The query service's app."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
from fastapi import FastAPI, Request
from psycopg import Error

from pilothouse_core.auth import LOCAL, Authenticator, bearer
from pilothouse_core.database import Pool, open_pool
from pilothouse_core.embedding import Embedder, open_embedder
from pilothouse_core.http import create_service
from pilothouse_core.problem import Problem
from pilothouse_core.readiness import database_fault
from pilothouse_core.reranking import Reranker, TeiReranker
from pilothouse_query.chat import routes as chat_routes
from pilothouse_query.chat.service import AnswerService
from pilothouse_query.dependencies import State
from pilothouse_query.model import routes as model_routes
from pilothouse_query.model.client import OpenAIChatModel, looking_for
from pilothouse_query.search import repository
from pilothouse_query.search import routes as search_routes
from pilothouse_query.search.service import SearchService, check_space
from pilothouse_query.settings import Settings

SEARCH_PATH = "documents, public"


def create_app(settings: Settings, *, embedder: Embedder | None = None) -> FastAPI:
    """The app; it opens nothing before its lifespan begins. A given embedder is used as it is."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[State]:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(
                open_pool(
                    settings.database, application_name="query", search_path=SEARCH_PATH, read_only=True
                )
            )
            active = embedder
            if active is None:
                active = await stack.enter_async_context(open_embedder(settings.embedding, patient=True))
            search = SearchService(
                pool=pool,
                embedder=active,
                reranker=await _open_reranker(stack, settings),
                settings=settings.search,
            )
            client = await stack.enter_async_context(_model_client(settings))
            model = OpenAIChatModel(client, settings.model)
            await stack.enter_async_context(looking_for(model))
            yield State(
                settings=settings,
                pool=pool,
                embedder=active,
                authenticator=Authenticator(settings.auth),
                search=search,
                answers=AnswerService(
                    search=search,
                    embedder=active,
                    model=model,
                    settings=settings.chat,
                ),
                model=model,
            )

    app = create_service(
        settings,
        name="query",
        title="Pilothouse query",
        description="Search, and answers with checked citations behind OpenAI's wire format.",
        lifespan=lifespan,
        ready=_ready,
        degraded=_degraded,
    )
    app.include_router(search_routes.router)
    app.include_router(chat_routes.router)
    app.include_router(model_routes.router)
    return app


async def _open_reranker(stack: AsyncExitStack, settings: Settings) -> Reranker | None:
    if settings.rerank.url is None:
        return None
    client = httpx2.AsyncClient(
        base_url=str(settings.rerank.url),
        timeout=settings.rerank.timeout.total_seconds(),
        headers=bearer(settings.rerank.key),
    )
    return TeiReranker(await stack.enter_async_context(client))


def _model_client(settings: Settings) -> httpx2.AsyncClient:
    """Timeouts are set per call: an answer may take minutes, a connection may not."""
    return httpx2.AsyncClient(
        base_url=str(settings.model.url).rstrip("/") + "/",
        headers=bearer(settings.model.key),
        limits=httpx2.Limits(max_connections=200, max_keepalive_connections=20),
    )


async def _ready(request: Request) -> dict[str, str]:
    """Database and embeddings; a missing language model is an honest answer, not an outage."""
    pool: Pool = request.state.pool
    embedder: Embedder = request.state.embedder
    if fault := await database_fault(pool, request.state.settings.database):
        return {"database": fault}
    if embedder.fault:
        return {"embedding": embedder.fault}
    try:
        async with pool.connection() as connection:
            scope = await repository.read_scope(
                connection, principal=LOCAL, names=(), metadata=None, model=embedder.model
            )
        check_space(scope, embedder)
    except Error as exc:
        return {"database": f"It cannot be used: {exc}"}
    except Problem as exc:
        return {"embedding": exc.detail}
    return {}


def _degraded(request: Request) -> dict[str, str]:
    """Without the language model, answers consist of quoted passages."""
    model: OpenAIChatModel = request.state.model
    return {"model": model.fault} if model.fault else {}
