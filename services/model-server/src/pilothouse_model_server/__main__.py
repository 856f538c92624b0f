"""`python -m pilothouse_model_server [chat|embeddings]`."""

import argparse

from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_model_server.settings import EmbeddingsSettings, Settings


def main() -> None:
    """Serve until SIGTERM. Exits with a plain sentence when settings or model files are wrong."""
    parser = argparse.ArgumentParser(prog="pilothouse-model-server", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("chat", "embeddings"), default="chat")
    part = parser.parse_args().part
    settings = read_settings(Settings if part == "chat" else EmbeddingsSettings)
    configure_logging(settings.log, service="model-server" if part == "chat" else "embeddings")
    # Only the runtime that is used is loaded: each takes tens of megabytes.
    if part == "chat":
        from pilothouse_model_server.chat.app import open_app as open_chat

        serve(open_chat(settings), settings)
    else:
        from pilothouse_model_server.embeddings.app import open_app as open_embeddings

        serve(open_embeddings(settings), settings)


if __name__ == "__main__":
    main()
