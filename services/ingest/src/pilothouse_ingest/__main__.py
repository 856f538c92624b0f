"""`python -m pilothouse_ingest api`, `… worker`, and `… bulk FOLDER --collection NAME`."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from pilothouse_core.embedding import EmbedderError
from pilothouse_core.http import serve
from pilothouse_core.settings import read_settings
from pilothouse_core.telemetry import configure_logging
from pilothouse_ingest.settings import IngestSettings, WorkerProcessSettings


def main() -> None:
    """Runs the API or the worker until SIGTERM, or takes a folder in."""
    arguments = _arguments()
    if arguments.program == "bulk":
        sys.exit(_bulk(arguments))
    settings = read_settings(IngestSettings if arguments.program == "api" else WorkerProcessSettings)
    configure_logging(settings.log, service=f"ingest-{arguments.program}")
    # It tells of each job's start and end, as our own events do with the document's id.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    if arguments.program == "api":
        # The worker's side of the package is not loaded for the API.
        from pilothouse_ingest.app import create_app

        serve(create_app(settings), settings)
        return
    from pilothouse_ingest.worker import run_until_signal

    try:
        asyncio.run(run_until_signal(settings))
    except EmbedderError as exc:
        sys.exit(str(exc))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pilothouse-ingest", description=__doc__)
    programs = parser.add_subparsers(dest="program", required=True)
    programs.add_parser("api", help="the HTTP API")
    programs.add_parser("worker", help="reads documents and stores their passages")
    bulk = programs.add_parser("bulk", help="make documents of all files of a folder")
    bulk.add_argument("folder", type=Path)
    bulk.add_argument("--collection", required=True, help="is made if there is none")
    how = bulk.add_mutually_exclusive_group()
    how.add_argument("--part", metavar="I/N", help="only this part of the files, such as 1/4")
    how.add_argument("--ray", action="store_true", help="spread over a Ray cluster (extra `ray`)")
    return parser.parse_args()


def _bulk(arguments: argparse.Namespace) -> int:
    from pilothouse_ingest.bulk.command import run
    from pilothouse_ingest.bulk.log import configure_bulk_logging
    from pilothouse_ingest.bulk.settings import BulkProcessSettings

    settings = read_settings(BulkProcessSettings)
    configure_bulk_logging(settings.log)
    return run(settings, arguments)


if __name__ == "__main__":
    main()
