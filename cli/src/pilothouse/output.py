"""What the command prints: colours and progress on a terminal, plain lines elsewhere."""

import re
import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """Words of a document, a model or a file's name, without what a terminal would obey."""
    return _OBEYED.sub("\ufffd", text)


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Say what went wrong and end the command."""
    err.print(f"[bold red]error:[/] {escape(message)}")
    sys.exit(code)


def show_log(lines: tuple[str, ...] | list[str], path: object) -> None:
    """The end of a log, set apart."""
    if lines:
        err.print(f"  the end of {escape(str(path))}:", style="dim")
        for line in lines:
            err.print(f"  │ {escape(line)}", style="dim")


def plural(count: int, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def seconds(duration: float) -> str:
    """`0.8 s`, `12 s`, `3 min`, `2 h`, `4 days`."""
    if duration < 10:
        return f"{duration:.1f} s"
    if duration < 120:
        return f"{duration:.0f} s"
    if duration < 7200:
        return f"{duration / 60:.0f} min"
    if duration < 172_800:
        return f"{duration / 3600:.0f} h"
    return f"{duration / 86_400:.0f} days"
