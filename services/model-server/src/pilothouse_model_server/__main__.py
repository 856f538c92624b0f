"""`python -m pilothouse_model_server`."""

import sys

import structlog

from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_model_server.app import create_app
from pilothouse_model_server.engine import LlamaEngine
from pilothouse_model_server.settings import Settings
from pilothouse_model_server.weights import ModelFileError, find_model

log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM. Exits with a plain sentence when settings or model file are wrong."""
    settings = read_settings(Settings)
    configure_logging(settings.log, service="model-server")
    try:
        file = find_model(settings.gguf)
        engine = LlamaEngine(file, settings.llama)
    except ModelFileError as exc:
        sys.exit(f"The model server cannot start. {exc}")
    log.info("model_loaded", model=file.name, path=str(file.path), size_bytes=file.size)
    serve(create_app(settings, engine, model=file.name), settings)


if __name__ == "__main__":
    main()
