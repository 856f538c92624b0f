"""`python -m pilothouse_ingest api` and `python -m pilothouse_ingest worker`."""

import argparse
import asyncio
import logging
import sys

from pilothouse_core.embedding import EmbedderError
from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_ingest.settings import IngestSettings, WorkerProcessSettings


def main() -> None:
    """Runs the API or the worker until SIGTERM."""
    parser = argparse.ArgumentParser(prog="pilothouse-ingest", description=__doc__)
    parser.add_argument("part", choices=("api", "worker"))
    part = parser.parse_args().part
    settings = read_settings(IngestSettings if part == "api" else WorkerProcessSettings)
    configure_logging(settings.log, service=f"ingest-{part}")
    # It tells of each job's start and end, as our own events do with the document's id.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    if part == "api":
        # The worker's side of the package is not loaded for the API.
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
