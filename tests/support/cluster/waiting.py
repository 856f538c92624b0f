"""Waits for a condition of the cluster, and tells what it saw when that never came."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE = 0.5


class NeverCame(AssertionError):
    """A condition that did not hold in time."""


def until(
    probe: Callable[[], T],
    what: str,
    *,
    holds: Callable[[T], bool] = bool,
    seconds: float = 180,
    explain: Callable[[], str] = lambda: "",
) -> T:
    """The first answer of `probe` that holds. Raises NeverCame with the last one and what `explain` says."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if holds(answer):
            return answer
        if time.monotonic() > deadline:
            raise NeverCame(f"{what}: not after {seconds:.0f} s; last seen: {answer!r}\n{explain()}")
        time.sleep(PAUSE)
