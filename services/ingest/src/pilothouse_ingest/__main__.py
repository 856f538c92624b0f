"""`python -m pilothouse_ingest api` and `python -m pilothouse_ingest worker`."""

import argparse
import asyncio
import sys

from pydantic import ValidationError

from pilothouse_core.embedding import EmbedderError
from pilothouse_core.http import serve
from pilothouse_core.telemetry import configure_logging
from pilothouse_ingest.settings import IngestSettings


def main() -> None:
    """Runs the API or the worker until SIGTERM."""
    parser = argparse.ArgumentParser(prog="pilothouse-ingest", description=__doc__)
    parser.add_argument("part", choices=("api", "worker"))
    part = parser.parse_args().part
    try:
        settings = IngestSettings()
    except ValidationError as exc:
        sys.exit(f"The settings are not right:\n{exc}")
    configure_logging(settings.log, service=f"ingest-{part}")
    if part == "api":
        # The worker's side of the package (PDFium, lxml) is not loaded for the API.
        from pilothouse_ingest.app import create_app

        serve(create_app(settings), settings)
        return
    from pilothouse_ingest.worker import run_until_signal

    try:
        asyncio.run(run_until_signal(settings))
    except EmbedderError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
