"""Logs as events with fields: text for people on a terminal, JSON for collectors."""

import logging
import sys

import structlog

from pilothouse_core.settings import LogSettings

REPEAT_SECONDS = 60.0


class Unrepeated(logging.Filter):
    """Lets a line pass once a minute: the connection pool says each second that there is no database."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is shown."""
        recent = {line: at for line, at in self._passed.items() if record.created - at < REPEAT_SECONDS}
        line = record.getMessage()
        self._passed = {line: record.created, **recent}
        return line not in recent


def configure_logging(settings: LogSettings, *, service: str) -> None:
    """Sends structlog and the standard library's logging through one renderer to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor
    if settings.format == "json":
        shared += [structlog.processors.format_exc_info]
        renderer = structlog.processors.JSONRenderer()
    else:
        # The default prints the variables of every frame: documents, questions and settings in the log.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    # Its own access log and banner repeat ours, and httpx names every upstream call.
    for name in ("uvicorn.access", "httpx", "httpx2", "httpcore", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("psycopg.pool").filters = [Unrepeated()]
    structlog.contextvars.bind_contextvars(service=service)
