"""The application."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request

from pilothouse_core.http import create_service
from pilothouse_model_server.engine import ChatEngine
from pilothouse_model_server.errors import install_error_handlers
from pilothouse_model_server.routes import router
from pilothouse_model_server.service import ChatService
from pilothouse_model_server.settings import Settings


def create_app(settings: Settings, engine: ChatEngine, *, model: str) -> FastAPI:
    """The service for one loaded model, called `model` on the wire."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chat = ChatService(engine, settings.llama, model=model)
        app.state.settings, app.state.chat = settings, chat
        try:
            yield
        finally:
            chat.close()

    async def ready(_request: Request) -> dict[str, str]:
        # The model was loaded before the port was opened.
        return {}

    app = create_service(
        settings,
        name="model-server",
        title="Pilothouse model server",
        lifespan=lifespan,
        ready=ready,
    )
    install_error_handlers(app)
    app.include_router(router)
    return app
