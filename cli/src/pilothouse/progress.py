"""A bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pilothouse.output import out

_LINE_SECONDS = 15.0


class Counter(Protocol):
    """Counts finished documents."""

    def advance(self, count: int) -> None:
        """So many more are finished."""


class _Bar:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("indexing", total=total)

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)


class _Lines:
    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._printed = time.monotonic()

    def advance(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._printed > _LINE_SECONDS and self._done < self._total:
            self._printed = time.monotonic()
            out.print(f"  {self._done} of {self._total} documents")


@contextmanager
def progress_over(total: int) -> Iterator[Counter]:
    """Progress over so many documents."""
    if not out.is_terminal:
        yield _Lines(total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        yield _Bar(progress, total)
