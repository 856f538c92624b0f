"""`python -m pilothouse_ingest bulk FOLDER --collection NAME`: what to do, and the exit code."""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import structlog
from psycopg import Error
from psycopg_pool import PoolTimeout

from pilothouse_core.problem import Problem
from pilothouse_ingest.bulk.folder import Listing, Part, list_folder
from pilothouse_ingest.bulk.intake import make_collection
from pilothouse_ingest.bulk.outcome import Outcome
from pilothouse_ingest.bulk.run import open_bulk_pool, run_part
from pilothouse_ingest.bulk.settings import BulkProcessSettings

log = structlog.get_logger()


def run(settings: BulkProcessSettings, arguments: argparse.Namespace) -> int:
    """0: all are indexed; 4: some failed; 1: it could not be done, or not to its end."""
    started = time.monotonic()
    outcome = _outcome(settings, arguments)
    outcome.log_summary(time.monotonic() - started)
    return outcome.exit_code


def chosen_part(argument: str | None, parts: int, environment: Mapping[str, str]) -> Part:
    """`--part`, or what Kubernetes says in a Job with indexes. Raises `ValueError`."""
    if argument is not None:
        return Part.parse(argument)
    index = environment.get("JOB_COMPLETION_INDEX")
    if index is not None:
        return Part.parse(f"{int(index) + 1}/{parts}")
    if parts > 1:
        raise ValueError(f"PILOTHOUSE_BULK_PARTS is {parts}, so say which part this is: --part 1/{parts}")
    return Part()


def _outcome(settings: BulkProcessSettings, arguments: argparse.Namespace) -> Outcome:
    folder: Path = arguments.folder
    try:
        part = Part() if arguments.ray else chosen_part(arguments.part, settings.bulk.parts, os.environ)
        listing = list_folder(folder)
    except ValueError as exc:
        return Outcome(broken=str(exc))
    except OSError as exc:
        return Outcome(broken=f"The folder {folder} cannot be read: {exc.strerror}.")
    log.info("bulk_listed", files=len(listing.files), left_out=dict(listing.left_out))
    if not listing.files and not listing.refused:
        return Outcome(broken=f"There is no file in {folder}. Is it the right one?")
    if reason := asyncio.run(_missing(settings, arguments.collection)):
        return Outcome(broken=reason)
    if arguments.ray:
        # An optional dependency, and a large one.
        from pilothouse_ingest.bulk.on_ray import run_on_ray

        outcome = run_on_ray(settings, listing, arguments.collection)
    else:
        outcome = asyncio.run(_until_signal(settings, listing, part, arguments.collection))
    if part.count == 1 and outcome.skipped and outcome.done == outcome.skipped.total():
        outcome.broken = outcome.broken or "None of the files is of a kind that can be read."
    return outcome


async def _missing(settings: BulkProcessSettings, collection: str) -> str | None:
    """Makes the collection; says what keeps it from being filled."""
    try:
        async with open_bulk_pool(settings) as pool:
            await make_collection(pool, settings, collection)
    except Problem as exc:
        return exc.detail
    except (Error, PoolTimeout) as exc:
        return f"The database cannot be used: {exc}"
    return None


async def _until_signal(
    settings: BulkProcessSettings, listing: Listing, part: Part, collection: str
) -> Outcome:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await run_part(settings, listing, part, collection, report=Outcome.log_progress, stop=stop)
