"""The same work on a Ray cluster: a task takes one part of the folder in, as a pod of a Job would.

Every node has the folder at the same place, and the same settings in its environment.
"""

import asyncio
import time
from typing import Any

from pilothouse_ingest.bulk.folder import Listing, Part
from pilothouse_ingest.bulk.log import configure_bulk_logging
from pilothouse_ingest.bulk.outcome import Outcome
from pilothouse_ingest.bulk.run import run_part
from pilothouse_ingest.bulk.settings import BulkProcessSettings

_FILES = 200  # of a task: enough that its start counts for little, few enough to share the work out
_RETRIES = 10  # of a task whose node went away


class Board:
    """Where running tasks say how far they are; an actor."""

    def __init__(self) -> None:
        self._parts: dict[int, Outcome] = {}

    def report(self, index: int, outcome: Outcome) -> None:
        """Called by the tasks."""
        self._parts[index] = outcome

    def read(self) -> dict[int, Outcome]:
        """The last word of each part."""
        return self._parts


def take_in(listing: Listing, part: Part, collection: str, board: Any) -> Outcome:
    """The task. It can be repeated: what is done already is found done."""
    settings = BulkProcessSettings()
    configure_bulk_logging(settings.log)

    def report(outcome: Outcome, _: float) -> None:
        board.report.remote(part.index, outcome)

    return asyncio.run(run_part(settings, listing, part, collection, report=report, stop=asyncio.Event()))


def run_on_ray(settings: BulkProcessSettings, listing: Listing, collection: str) -> Outcome:
    """What became of the folder's files. Uses the cluster that RAY_ADDRESS names, or one on this machine."""
    import ray
    from ray.exceptions import RayError

    files = len(listing.files) + len(listing.refused)
    count = -(-files // _FILES)
    ended = Outcome()
    with ray.init():
        started = time.monotonic()
        board = ray.remote(num_cpus=0)(Board).remote()
        # A task keeps as many cores busy as it has parsers.
        task = ray.remote(num_cpus=settings.parsing.processes, max_retries=_RETRIES)(take_in)
        shared = ray.put(listing)
        running = {task.remote(shared, Part(at, count), collection, board): at for at in range(count)}
        while running:
            ready, _ = ray.wait(
                list(running), num_returns=len(running), timeout=settings.bulk.report.total_seconds()
            )
            for result in ready:
                at = running.pop(result)
                try:
                    ended.add(ray.get(result))
                except RayError as exc:
                    ended.add(Outcome(broken=f"Part {at + 1}/{count} could not be done: {exc}"))
            said = ray.get(board.read.remote())
            so_far = Outcome()
            for outcome in (ended, *(said[at] for at in running.values() if at in said)):
                so_far.add(outcome)
            so_far.total = files
            so_far.log_progress(time.monotonic() - started)
    return ended
