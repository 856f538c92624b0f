"""The application."""

import contextlib
import sys
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI, Request

from pilothouse_core.auth import Authenticator
from pilothouse_core.http import create_service
from pilothouse_model_server.embeddings.errors import install_error_handlers
from pilothouse_model_server.embeddings.model import ModelFolderError, OnnxModel, TextModel, find_folder
from pilothouse_model_server.embeddings.routes import router
from pilothouse_model_server.embeddings.service import EmbeddingService
from pilothouse_model_server.settings import Settings

log = structlog.get_logger()

# Of a character in JSON, where most take one; with the rest of the request.
BYTES_PER_CHARACTER = 4
OTHER_BYTES = 64 * 2**10


def open_app(settings: Settings) -> FastAPI:
    """The service with its model loaded. Ends the process with a plain sentence when that fails."""
    try:
        folder = find_folder(settings.onnx.path)
        model = OnnxModel(folder, name=settings.onnx.name, threads=settings.onnx.threads)
    except ModelFolderError as exc:
        sys.exit(f"The embedding server cannot start. {exc}")
    log.info("model_loaded", model=model.name, path=str(folder), dimension=model.dimension)
    return create_app(settings, model)


def create_app(settings: Settings, model: TextModel) -> FastAPI:
    """The service for one loaded model."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        embeddings = EmbeddingService(model, settings.onnx)
        app.state.settings, app.state.embeddings = settings, embeddings
        app.state.authenticator = Authenticator(settings.auth)
        try:
            yield
        finally:
            embeddings.close()

    async def ready(_request: Request) -> dict[str, str]:
        # The model was loaded before the port was opened.
        return {}

    app = create_service(
        settings,
        name="embeddings",
        title="Pilothouse embedding server",
        lifespan=lifespan,
        ready=ready,
        max_body_bytes=settings.onnx.characters * BYTES_PER_CHARACTER + OTHER_BYTES,
    )
    install_error_handlers(app)
    app.include_router(router)
    return app
