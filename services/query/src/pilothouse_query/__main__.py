"""`python -m pilothouse_query`: the query service."""

from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_query.app import create_app
from pilothouse_query.settings import Settings


def main() -> None:
    """Runs until SIGTERM or SIGINT."""
    settings = read_settings(Settings)
    configure_logging(settings.log, service="query")
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
