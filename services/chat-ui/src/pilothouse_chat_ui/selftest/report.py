"""One line per step: its name, its seconds, and what came of it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pilothouse_chat_ui.selftest.failure import Failure


class StepFailed(Exception):
    """A step failed, and the report says so already."""


@dataclass(slots=True)
class Step:
    """A step while it goes on. `seen` is its result, or how far it came when its time is over."""

    look: str
    seen: str = ""


@asynccontextmanager
async def step(name: str, look: str, seconds: float) -> AsyncIterator[Step]:
    """Prints how the step went. Raises `StepFailed`."""
    going = Step(look)
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            yield going
    except TimeoutError as exc:
        so_far = f"; {going.seen}" if going.seen else ""
        _failed(name, began, f"it was not done within {seconds:g} s{so_far}", going.look)
        raise StepFailed(name) from exc
    except Failure as exc:
        _failed(name, began, exc.seen, exc.look)
        raise StepFailed(name) from exc
    except asyncio.CancelledError:
        _line(name, began, "STOPPED", going.seen)
        raise
    _line(name, began, "ok", going.seen)


def say(line: str) -> None:
    """Prints a line at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _failed(name: str, began: float, seen: str, look: str) -> None:
    _line(name, began, "FAILED", f"{seen.rstrip('. ')}. Look at {look}.")


def _line(name: str, began: float, result: str, seen: str) -> None:
    say(f"{name:<20}{time.monotonic() - began:6.1f} s  {result}" + (f": {seen}" if seen else ""))
