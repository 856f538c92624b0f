"""What a bulk process logs: how far it is, and what failed."""

import logging

from pilothouse_core.settings import LogSettings
from pilothouse_core.telemetry import configure_logging

# They have a line or two for every document, which would bury the others.
_QUIET = ("procrastinate", "pilothouse_ingest.indexing.pipeline")


def configure_bulk_logging(settings: LogSettings) -> None:
    """As in other programs, without news of single documents."""
    configure_logging(settings, service="ingest-bulk")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
