"""`pilothouse status`."""

import json
import time

from rich.markup import escape
from rich.table import Table

from pilothouse.child import answers_ready
from pilothouse.home import LocalSettings
from pilothouse.output import err, out, seconds, show_log
from pilothouse.state import PartState, Snapshot, read_snapshot

NOT_RUNNING = 3
_COLOURS = {"ready": "green", "failed": "red", "restarting": "yellow", "not answering": "yellow"}


def status(settings: LocalSettings, *, as_json: bool) -> int:
    """Print what runs; 0 when all is ready, 1 when something is not, 3 when nothing runs."""
    snapshot = read_snapshot(settings.home)
    if snapshot is None or not snapshot.running:
        if as_json:
            print(json.dumps({"running": False, "parts": {}}))
        else:
            out.print("Pilothouse is not running. Start it with `make up` or `pilothouse up`.")
            if snapshot and snapshot.phase == "failed":
                err.print(f"The last start failed: {escape(snapshot.detail)}")
            elif snapshot and snapshot.phase in {"starting", "ready"}:
                err.print("It was not stopped properly; the next start recovers.")
        return NOT_RUNNING
    live = {part.name: _live_status(part) for part in snapshot.parts.values()}
    if as_json:
        print(json.dumps(_as_json(snapshot, live)))
    else:
        _print(settings, snapshot, live)
    return 0 if all(word == "ready" for word in live.values()) else 1


def _live_status(part: PartState) -> str:
    if part.status == "ready" and part.port is not None and not answers_ready(part.port):
        return "not answering"
    return part.status


def _print(settings: LocalSettings, snapshot: Snapshot, live: dict[str, str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("part", "state", "since", "port", "pid", "restarts"):
        table.add_column(heading)
    for part in snapshot.parts.values():
        word = live[part.name]
        table.add_row(
            part.name,
            f"[{_COLOURS.get(word, 'default')}]{word}[/]",
            seconds(max(0.0, time.time() - part.since)),
            str(part.port or ""),
            str(part.process.pid if part.process else ""),
            str(part.restarts or ""),
        )
    out.print(table)
    for part in snapshot.parts.values():
        if part.detail:
            err.print(f"\n{part.name}: {escape(part.detail)}", style="yellow")
            show_log(part.log_lines, settings.home.log(part.name))
    out.print(f"\nThe page: {snapshot.address}")
    out.print(f"Data and logs: {settings.home.path}")


def _as_json(snapshot: Snapshot, live: dict[str, str]) -> dict[str, object]:
    return {
        "running": True,
        "phase": snapshot.phase,
        "address": snapshot.address,
        "parts": {
            part.name: {
                "status": live[part.name],
                "pid": part.process.pid if part.process else None,
                "port": part.port,
                "restarts": part.restarts,
                "detail": part.detail,
            }
            for part in snapshot.parts.values()
        },
    }
