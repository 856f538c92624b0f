"""`python -m pilothouse_chat_ui`: serves until it is asked to stop."""

import structlog

from pilothouse_chat_ui.app import create_app
from pilothouse_chat_ui.settings import Settings
from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging

log = structlog.get_logger()


def main() -> None:
    """Reads the settings from the environment and serves."""
    settings = read_settings(Settings)
    configure_logging(settings.log, service="chat-ui")
    if settings.auth.mode == "none":
        log.warning(
            "nobody_signs_in",
            meaning="Everybody who can open this page is the same person here and sees all chats and "
            "documents. Set PILOTHOUSE_AUTH_MODE=proxy for an installation that several people use.",
        )
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
