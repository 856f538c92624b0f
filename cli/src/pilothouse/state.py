"""What the supervisor tells about itself: one small JSON file, replaced as a whole at each change."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pilothouse.home import Home
from pilothouse.processes import ProcessIdentity

Phase = Literal["starting", "ready", "failed", "stopping", "stopped"]
Status = Literal["waiting", "starting", "ready", "restarting", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class PartState:
    """One part as the supervisor sees it."""

    name: str
    status: Status = "waiting"
    process: ProcessIdentity | None = None
    port: int | None = None
    restarts: int = 0
    # Why it is not running, in words; the last lines of its log follow in `log_lines`.
    detail: str = ""
    log_lines: tuple[str, ...] = ()
    # Wall clock, for people.
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole installation at one moment."""

    supervisor: ProcessIdentity
    phase: Phase
    parts: Mapping[str, PartState] = field(default_factory=dict)
    # A reason that belongs to no part, such as a full disk.
    detail: str = ""
    socket_dir: str = ""

    @property
    def running(self) -> bool:
        """Whether the supervisor that wrote this still lives."""
        return self.supervisor.alive

    def port(self, part: str) -> int | None:
        """Port of a part, None when it has none here."""
        state = self.parts.get(part)
        return state.port if state else None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port('chat-ui')}"


def read_snapshot(home: Home) -> Snapshot | None:
    """The last state written, by a supervisor that may be dead by now; None when there is none."""
    try:
        raw = json.loads(_path(home).read_text(encoding="utf-8"))
        return Snapshot(
            supervisor=ProcessIdentity(**raw["supervisor"]),
            phase=raw["phase"],
            parts={name: _part(part) for name, part in raw["parts"].items()},
            detail=raw["detail"],
            socket_dir=raw["socket_dir"],
        )
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError, TypeError):
        # Another version's file says nothing useful; the locks still protect what runs.
        return None


def write_snapshot(home: Home, snapshot: Snapshot) -> None:
    """Replace the state, so that a reader never sees half of it. Raises OSError, such as for a full disk."""
    handle, name = tempfile.mkstemp(prefix="state-", suffix=".json", dir=home.path)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(snapshot), file, indent=1)
        Path(name).replace(_path(home))
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _path(home: Home) -> Path:
    # Beside run/, not in it: as root, that folder belongs to the database's account.
    return home.path / "state.json"


def _part(raw: dict[str, Any]) -> PartState:
    process = raw.pop("process")
    lines = raw.pop("log_lines")
    return PartState(**raw, process=ProcessIdentity(**process) if process else None, log_lines=tuple(lines))
