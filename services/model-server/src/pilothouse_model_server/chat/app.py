"""The application."""

import contextlib
import sys
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI, Request

from pilothouse_core.auth import Authenticator
from pilothouse_core.http import create_service
from pilothouse_model_server.chat.engine import ChatEngine, LlamaEngine
from pilothouse_model_server.chat.errors import install_error_handlers
from pilothouse_model_server.chat.routes import router
from pilothouse_model_server.chat.service import ChatService
from pilothouse_model_server.chat.weights import ModelFileError, find_model
from pilothouse_model_server.settings import Settings

log = structlog.get_logger()


def open_app(settings: Settings) -> FastAPI:
    """The service with its model loaded. Ends the process with a plain sentence when that fails."""
    try:
        file = find_model(settings.gguf)
        engine = LlamaEngine(file, settings.llama)
    except ModelFileError as exc:
        sys.exit(f"The model server cannot start. {exc}")
    log.info("model_loaded", model=file.name, path=str(file.path), size_bytes=file.size)
    return create_app(settings, engine, model=file.name)


def create_app(settings: Settings, engine: ChatEngine, *, model: str) -> FastAPI:
    """The service for one loaded model, called `model` on the wire."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chat = ChatService(engine, settings.llama, model=model)
        app.state.settings, app.state.chat = settings, chat
        app.state.authenticator = Authenticator(settings.auth)
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
