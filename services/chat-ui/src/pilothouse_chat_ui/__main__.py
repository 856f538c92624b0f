"""`python -m pilothouse_chat_ui`: serves until it is asked to stop."""

from pilothouse_chat_ui.app import create_app
from pilothouse_chat_ui.settings import Settings
from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging


def main() -> None:
    """Reads the settings from the environment and serves."""
    settings = read_settings(Settings)
    configure_logging(settings.log, service="chat-ui")
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
