"""`pilothouse up`, `down` and `logs`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from rich.markup import escape
from rich.status import Status

from pilothouse.child import put_aside
from pilothouse.home import Home, LocalSettings, samples
from pilothouse.output import err, fail, out, seconds, show_log
from pilothouse.processes import last_lines
from pilothouse.state import Snapshot, read_snapshot
from pilothouse.supervisor import stop_leftovers

SAMPLE_COLLECTION = "samples"
FIRST_QUESTION = "What happens to a document if the machine loses power during ingestion?"
_POLL_SECONDS = 0.1
_STOP_SECONDS = 90.0


def up(settings: LocalSettings, *, with_samples: bool, timeout: float) -> int:
    """Start what is not running and wait until it is ready; the exit status of the command."""
    home = settings.home
    began = time.monotonic()
    snapshot = read_snapshot(home)
    if snapshot and snapshot.running and snapshot.phase == "ready":
        _warn_about_other_ports(settings, snapshot)
        out.print(f"Pilothouse is already running: [bold]{snapshot.address}[/]")
    else:
        if snapshot and snapshot.phase in {"stopping", "failed"}:
            _wait_until_gone(snapshot, began + timeout)
        launched = None if snapshot and snapshot.running else _launch(home)
        snapshot = _wait_until_ready(home, launched, timeout)
        out.print(f"Ready after {seconds(time.monotonic() - began)}.")
    folder = samples()
    if with_samples and folder and not home.samples_done.exists():
        status = _first_light(home, folder)
        if status:
            return status
    out.print(f"Open [bold]{snapshot.address}[/]")
    return 0


def down(settings: LocalSettings) -> int:
    """Stop everything and wait until it is gone."""
    home = settings.home
    snapshot = read_snapshot(home)
    identity = snapshot.supervisor if snapshot else None
    process = identity.process() if identity else None
    if identity is None or process is None:
        leftovers = stop_leftovers(home)
        if leftovers:
            out.print(f"The supervisor had been killed; stopped what it left: {', '.join(leftovers)}.")
        else:
            out.print("Pilothouse is not running.")
        return 0
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    reported: set[str] = set()
    running = True
    while running:
        # Looked at before the state is read, so that the last state is reported too.
        running = identity.alive
        current = read_snapshot(home)
        for part in current.parts.values() if current else ():
            if part.status == "stopped" and part.name not in reported:
                reported.add(part.name)
                out.print(f"  {part.name} stopped")
        if time.monotonic() > deadline:
            process.kill()
            stop_leftovers(home)
            break
        time.sleep(_POLL_SECONDS)
    out.print("Pilothouse is stopped. Documents and chats stay.")
    return 0


def logs(settings: LocalSettings, name: str | None, *, follow: bool, lines: int) -> int:
    """Print the end of one log or of all."""
    home = settings.home
    paths = sorted(home.logs.glob("*.log")) if name is None else [home.log(name)]
    missing = [path for path in paths if not path.exists()]
    if missing or not paths:
        known = ", ".join(sorted(path.stem for path in home.logs.glob("*.log")))
        fail(
            f"There is no log named {name}. Logs here: {known}."
            if known
            else f"There are no logs in {home.logs}."
        )
    prefix = len(paths) > 1
    for path in paths:
        for line in last_lines(path, lines):
            _print_line(path, line, prefix=prefix)
    if follow:
        _follow(paths, prefix=prefix)
    return 0


def _launch(home: Home) -> subprocess.Popen[bytes]:
    try:
        home.make()
        put_aside(home.log("supervisor"))
        log = home.log("supervisor").open("ab")
    except OSError as exc:
        fail(
            f"Cannot write in {home.path}: {exc.strerror}. Choose another place with PILOTHOUSE_HOME.", code=2
        )
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "pilothouse.supervisor"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(home: Home, launched: subprocess.Popen[bytes] | None, timeout: float) -> Snapshot:
    deadline = time.monotonic() + timeout
    snapshot: Snapshot | None = None
    with _progress() as progress:
        while time.monotonic() < deadline:
            # The process may write its last state just before it ends, so it is looked at first.
            ended = launched is not None and launched.poll() is not None
            snapshot = read_snapshot(home)
            if snapshot and launched and snapshot.supervisor.pid != launched.pid:
                if ended and snapshot.running:
                    # Another `up` was a moment earlier; its supervisor is as good.
                    launched = None
                    continue
                snapshot = None
            if snapshot:
                progress.show(snapshot)
                if snapshot.phase == "ready":
                    return snapshot
                ended = ended or not snapshot.running
            if ended:
                break
            time.sleep(_POLL_SECONDS)
        else:
            _still_starting(home, snapshot, timeout)
    return _explain_failure(home, snapshot)


def _wait_until_gone(snapshot: Snapshot, deadline: float) -> None:
    while snapshot.running and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _still_starting(home: Home, snapshot: Snapshot | None, timeout: float) -> NoReturn:
    waiting = [part.name for part in snapshot.parts.values() if part.status != "ready"] if snapshot else []
    err.print(f"Not ready after {timeout:.0f} s: {', '.join(waiting) or 'the supervisor'}.")
    for name in waiting:
        show_log(last_lines(home.log(name), 5), home.log(name))
    fail(
        "Starting goes on in the background. "
        "Watch it with `pilothouse status`, stop it with `pilothouse down`."
    )


def _explain_failure(home: Home, snapshot: Snapshot | None) -> NoReturn:
    if snapshot is None:
        show_log(last_lines(home.log("supervisor"), 8), home.log("supervisor"))
        fail("The supervisor could not start.")
    for part in snapshot.parts.values():
        if part.status == "failed":
            show_log(part.log_lines, home.log(part.name))
    fail(
        snapshot.detail or "The supervisor ended unexpectedly; its log says more: pilothouse logs supervisor"
    )


def _warn_about_other_ports(settings: LocalSettings, snapshot: Snapshot) -> None:
    for name, port in settings.parts_with_ports.items():
        running = snapshot.port(name)
        if running is not None and running != port:
            err.print(
                f"[yellow]{name} runs on port {running}, not {port}. "
                "To change ports, run `pilothouse down` first.[/]"
            )


def _first_light(home: Home, folder: Path) -> int:
    """Ingest the samples and ask one question, so that the first page is not an empty one."""
    from pilothouse import ask, ingest
    from pilothouse.client import addresses, connected

    out.print(f"\nAdding the sample documents to the collection [bold]{SAMPLE_COLLECTION}[/]")
    status = ingest.ingest([folder], collection=SAMPLE_COLLECTION, addresses=addresses(home))
    if status:
        err.print(
            "Try again with `pilothouse up`, or leave the samples out with `pilothouse up --no-samples`."
        )
        return status
    home.samples_done.touch()
    out.print(f"\n[bold]{escape(FIRST_QUESTION)}[/]\n")
    with connected(addresses(home).query) as client:
        status = ask.ask(FIRST_QUESTION, collection=SAMPLE_COLLECTION, client=client)
    out.print()
    return status


class _Progress:
    """Says each state of a part once; on a terminal, with one moving line for what is awaited."""

    def __init__(self, line: Status | None) -> None:
        self._said: set[tuple[str, str]] = set()
        self._line = line

    def show(self, snapshot: Snapshot) -> None:
        for part in snapshot.parts.values():
            key = (part.name, part.status)
            if key in self._said:
                continue
            self._said.add(key)
            if part.status == "ready":
                place = f" on port {part.port}" if part.port else ""
                out.print(f"  [green]✓[/] {part.name} is ready{place}")
            elif part.status == "restarting":
                err.print(f"  [yellow]![/] {part.name} {escape(part.detail)}; trying again")
        if self._line:
            waiting = ", ".join(part.name for part in snapshot.parts.values() if part.status != "ready")
            self._line.update(f"waiting for {waiting}")


@contextmanager
def _progress() -> Iterator[_Progress]:
    out.print("Starting Pilothouse")
    if not out.is_terminal:
        yield _Progress(None)
        return
    with out.status("waiting") as line:
        yield _Progress(line)


def _print_line(path: Path, line: str, *, prefix: bool) -> None:
    out.print(f"{f'{path.stem:>12} │ ' if prefix else ''}{line}", markup=False)


def _follow(paths: list[Path], *, prefix: bool) -> None:
    """Print what is added, until interrupted; a log that was put aside is followed at its new beginning."""
    positions = {path: path.stat().st_size for path in paths}
    try:
        while True:
            for path, position in positions.items():
                size = path.stat().st_size if path.exists() else 0
                start = position if size >= position else 0
                if size > start:
                    with path.open("rb") as log:
                        log.seek(start)
                        added = log.read(size - start)
                    whole = added[: added.rfind(b"\n") + 1]
                    for line in whole.decode("utf-8", errors="replace").splitlines():
                        _print_line(path, line, prefix=prefix)
                    start += len(whole)
                positions[path] = start
            time.sleep(0.3)
    except KeyboardInterrupt:
        os.write(1, b"\n")
