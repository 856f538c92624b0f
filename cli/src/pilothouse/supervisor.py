"""The background process that owns everything local mode runs: `python -m pilothouse.supervisor`."""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from pilothouse.child import Child, RestartPolicy, note, put_aside, shorten
from pilothouse.database import DatabaseError, prepare_database
from pilothouse.home import PORTS, Home, LocalSettings, SettingError, read_settings
from pilothouse.parts import Part, parts_of, role_dsn
from pilothouse.postgres import EmbeddedPostgres, PostgresError
from pilothouse.processes import ProcessIdentity, last_lines, listener_on, stop_process
from pilothouse.state import PartState, Phase, Snapshot, Status, read_snapshot, write_snapshot

_TICK_SECONDS = 0.1
_GRACE_SECONDS = 15.0
_LOG_SECONDS = 60.0
_SPACE_NEEDED = 300 << 20
# Later ones use earlier ones, so they are stopped first.
_STOP_ORDER = (("chat-ui",), ("query", "ingest", "worker"), ("model-server",))


class StartError(Exception):
    """Local mode cannot start here; the message says why and what to do."""


class Supervisor:
    """Starts the database and the services, keeps them running, and stops them in order."""

    def __init__(
        self,
        settings: LocalSettings,
        *,
        parts: Callable[[EmbeddedPostgres], Sequence[Part]],
        policy: RestartPolicy | None = None,
    ) -> None:
        self._home = settings.home
        self._policy = policy or RestartPolicy()
        self._identity = _own_identity()
        self._phase: Phase = "starting"
        self._detail = ""
        self._stop_asked = False
        self._written: Snapshot | None = None
        self._postgres = EmbeddedPostgres(
            self._home.postgres, self._home.run, log_path=self._home.log("postgres")
        )
        self._database = PartState("postgres", since=time.time())
        self._database_deaths = 0
        self._database_retry = 0.0
        self._children = [
            Child(part, self._home.log(part.name), self._policy) for part in parts(self._postgres)
        ]

    def run(self) -> int:
        """Run until asked to stop; the exit status of the process."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._on_signal)
        try:
            with _lock(self._home):
                return self._run_locked()
        except StartError as exc:
            print(exc, file=sys.stderr)
            return 2

    def _run_locked(self) -> int:
        stop_leftovers(self._home)
        try:
            self._check_machine()
            for log in self._logs:
                put_aside(log)
            self._publish()
            self._start_all()
            self._watch()
        except (StartError, PostgresError, DatabaseError) as exc:
            self._phase, self._detail = "failed", str(exc)
            print(exc, file=sys.stderr)
        finally:
            failed = self._phase == "failed"
            if not failed:
                self._phase = "stopping"
            self._publish()
            self._stop_all()
            self._phase = "failed" if failed else "stopped"
            self._publish()
        return 1 if failed else 0

    def _check_machine(self) -> None:
        """Name what would make parts fail one by one with a less helpful message."""
        free = shutil.disk_usage(self._home.path).free
        if free < _SPACE_NEEDED:
            raise StartError(
                f"Only {free >> 20} MiB are free on the disk of {self._home.path}; "
                f"{_SPACE_NEEDED >> 20} MiB are needed. Free some space, or choose another place "
                "with PILOTHOUSE_HOME."
            )
        check_ports({child.part.name: child.part.port for child in self._children if child.part.port})

    def _start_all(self) -> None:
        for child in self._children:
            if not child.part.needs_database:
                child.start()
        self._publish()
        self._start_database()
        for child in self._children:
            if child.part.needs_database:
                child.start()
        self._publish()

    def _start_database(self) -> None:
        self._set_database("starting")
        try:
            self._postgres.start()
            prepare_database(self._postgres)
        except (PostgresError, DatabaseError) as exc:
            self._set_database("failed", detail=str(exc), lines=tuple(last_lines(self._postgres.log_path)))
            raise
        self._set_database("ready")

    @property
    def _logs(self) -> list[Path]:
        return [self._postgres.log_path, *(child.log for child in self._children)]

    def _watch(self) -> None:
        next_look = 0.0
        while not self._stop_asked:
            self._watch_database()
            for child in self._children:
                child.tick()
            if self._phase == "starting":
                if all(child.status == "ready" for child in self._children):
                    self._phase = "ready"
                for child in self._children:
                    if child.status == "failed":
                        raise StartError(f"{child.part.name} {child.state.detail}.")
            self._publish()
            if time.monotonic() > next_look:
                next_look = time.monotonic() + _LOG_SECONDS
                for log in self._logs:
                    # A full disk must not end what still runs.
                    with contextlib.suppress(OSError):
                        shorten(log)
            time.sleep(_TICK_SECONDS)

    def _watch_database(self) -> None:
        """The services wait for the database by themselves; here it is only started again."""
        code = self._postgres.poll()
        if self._database.status == "ready" and code is not None:
            self._database_deaths += 1
            self._postgres.stop()
            self._database_retry = time.monotonic() + self._policy.pause(self._database_deaths)
            lines = tuple(last_lines(self._postgres.log_path))
            self._set_database("restarting", detail="the database stopped", lines=lines)
            note(f"postgres stopped (exit code {code}); it is started again")
        elif self._database.status == "restarting" and time.monotonic() >= self._database_retry:
            with contextlib.suppress(PostgresError, DatabaseError):
                self._start_database()
                return
            self._database_deaths += 1
            if self._database_deaths < self._policy.give_up_after:
                self._database_retry = time.monotonic() + self._policy.pause(self._database_deaths)
                detail, lines = self._database.detail, self._database.log_lines
                self._set_database("restarting", detail=detail, lines=lines)

    def _stop_all(self) -> None:
        """Users of a part before the part itself; the database last, when nobody needs it any more."""
        by_name = {child.part.name: child for child in self._children}
        for names in _STOP_ORDER:
            children = [by_name[name] for name in names if name in by_name]
            for child in children:
                child.terminate()
            deadline = time.monotonic() + _GRACE_SECONDS
            for child in children:
                child.finish(deadline - time.monotonic())
            self._publish()
        self._postgres.stop()
        if self._database.status != "failed":
            self._set_database("stopped")

    def _set_database(self, status: Status, *, detail: str = "", lines: tuple[str, ...] = ()) -> None:
        pid = self._postgres.pid
        before = self._database
        self._database = PartState(
            "postgres",
            status=status,
            process=ProcessIdentity.of(pid) if pid else None,
            restarts=before.restarts + (before.status == "restarting" and status == "starting"),
            detail=detail,
            log_lines=lines,
            since=time.time(),
        )
        self._publish()

    def _publish(self) -> None:
        states: Mapping[str, PartState] = {
            "postgres": self._database,
            **{child.part.name: child.state for child in self._children},
        }
        snapshot = Snapshot(
            supervisor=self._identity,
            phase=self._phase,
            parts=states,
            detail=self._detail,
            socket_dir=str(self._postgres.run_dir),
        )
        if snapshot == self._written:
            return
        try:
            write_snapshot(self._home, snapshot)
        except OSError as exc:
            # A full disk must not end what still runs; the next change tries again.
            print(f"the state could not be written: {exc}", file=sys.stderr)
            return
        self._written = snapshot

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self._stop_asked = True


def stop_leftovers(home: Home) -> list[str]:
    """Stop processes of a supervisor that was killed; answers their names.

    Only for who holds the lock, or knows that the supervisor is dead.
    """
    snapshot = read_snapshot(home)
    if snapshot is None:
        return []
    stopped = []
    # The reverse of the order in the file: the database, which stands first, goes last.
    for state in reversed(list(snapshot.parts.values())):
        process = state.process.process() if state.process else None
        if process is None:
            continue
        if state.name == "postgres":
            steps: tuple[tuple[int, float], ...] = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0))
        else:
            steps = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
        stop_process(process, signals=steps)
        stopped.append(state.name)
    return stopped


@contextlib.contextmanager
def _lock(home: Home) -> Iterator[None]:
    """One supervisor per home. The kernel frees the lock even after kill -9."""
    try:
        home.make()
        lock = (home.path / "supervisor.lock").open("w")
    except OSError as exc:
        raise StartError(
            f"Cannot write in {home.path}: {exc.strerror}. Choose another place with PILOTHOUSE_HOME."
        ) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StartError(f"Pilothouse is already running in {home.path}.") from exc
        yield


def _own_identity() -> ProcessIdentity:
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    return identity


def check_ports(ports: Mapping[str, int]) -> None:
    """Raises StartError for a port that two parts want or another program has."""
    for name, port in ports.items():
        variable = PORTS[name][1]
        twin = next((other for other in ports if other != name and ports[other] == port), None)
        if twin:
            raise StartError(f"{name} and {twin} are both set to port {port}. Change {variable}.")
        if not is_free(port):
            who = listener_on(port)
            raise StartError(
                f"Port {port}, which {name} needs, is in use{f' by {who}' if who else ''}. "
                f"Stop that program, or choose another port: {variable}={port + 1000} make up"
            )


def is_free(port: int) -> bool:
    """Whether a service could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        # As the services bind: a port of connections that are just ending is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def main() -> None:
    """Entry point of the background process."""
    try:
        settings = read_settings()
    except SettingError as exc:
        sys.exit(str(exc))
    supervisor = Supervisor(settings, parts=lambda postgres: parts_of(settings, role_dsn(postgres)))
    sys.exit(supervisor.run())


if __name__ == "__main__":
    main()
