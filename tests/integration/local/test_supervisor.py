"""The supervisor with a real database and small services: what starts, dies, is restarted and stopped."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from pilothouse.home import PORTS, Home
from pilothouse.parts import DATABASE
from pilothouse.postgres import socket_dsn
from pilothouse.processes import ProcessIdentity
from pilothouse.state import PartState, Snapshot, read_snapshot, write_snapshot
from pilothouse.supervisor import StartError, check_ports, stop_leftovers
from support.stack import free_port

SUPERVISOR = """
import sys
from pilothouse.child import RestartPolicy
from pilothouse.home import read_settings
from pilothouse.parts import Part
from pilothouse.supervisor import Supervisor

settings = read_settings()
good, bad = sys.argv[1:]
parts = [Part("query", ("-c", good), port=settings.ports["query"])]
if bad:
    parts.append(Part("worker", ("-c", bad)))
sys.exit(Supervisor(settings, parts=lambda _: parts, policy=RestartPolicy(first_pause=0.05)).run())
"""
# Seconds for things that take one or two; machines that run tests are often busy.
PATIENCE = 60
# Ready as soon as it listens; stops on SIGTERM as any program does.
GOOD = """
import http.server, os
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
address = ("127.0.0.1", int(os.environ["PILOTHOUSE_SERVER_PORT"]))
http.server.HTTPServer(address, Ready).serve_forever()
"""
BAD = "import sys; sys.exit('the key has expired')"


@dataclass(frozen=True, slots=True)
class Running:
    """A supervisor in a process of its own, with its last state."""

    home: Home
    process: subprocess.Popen[bytes]

    @property
    def snapshot(self) -> Snapshot:
        snapshot = read_snapshot(self.home)
        assert snapshot is not None
        return snapshot

    def next_note(self) -> str:
        """The next line of the supervisor's own log."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode()

    def wait_for(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        """The first state for which it holds."""
        deadline = time.monotonic() + PATIENCE
        snapshot = None
        while time.monotonic() < deadline:
            snapshot = read_snapshot(self.home)
            if snapshot and condition(snapshot):
                return snapshot
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"never came true, exit code {self.process.poll()}, last state: {snapshot}")


@pytest.fixture
def home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="ph-") as path:
        yield Home(Path(path))


def environment(home: Home) -> dict[str, str]:
    ports = {variable: str(free_port()) for _, variable in PORTS.values()}
    return {**os.environ, **ports, "PILOTHOUSE_HOME": str(home.path)}


@contextmanager
def supervised(home: Home, env: dict[str, str], *, bad: str = "") -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, GOOD, bad],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        yield Running(home, process)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def ready(snapshot: Snapshot) -> bool:
    return snapshot.phase == "ready"


def alive_parts(snapshot: Snapshot) -> list[str]:
    return [name for name, part in snapshot.parts.items() if part.process and part.process.alive]


def test_it_starts_everything_and_stops_everything(home: Home) -> None:
    with supervised(home, environment(home)) as running:
        snapshot = running.wait_for(ready)
        assert alive_parts(snapshot) == ["postgres", "query"]
        with psycopg.connect(
            socket_dsn(snapshot.socket_dir, role="pilothouse_query", database=DATABASE)
        ) as session:
            assert session.execute("SELECT count(*) FROM documents.documents").fetchone() == (0,)
        running.process.terminate()
        assert running.process.wait(PATIENCE) == 0
        assert alive_parts(snapshot) == []
        assert running.snapshot.phase == "stopped"


def test_a_service_that_dies_is_started_again(home: Home) -> None:
    with supervised(home, environment(home)) as running:
        first = running.wait_for(ready).parts["query"].process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        again = running.wait_for(
            lambda s: s.parts["query"].status == "ready" and s.parts["query"].restarts == 1
        )
        assert again.parts["query"].process not in {None, first}
        assert "query was ended by SIGKILL" in running.next_note()


def test_a_database_that_dies_is_started_again(home: Home) -> None:
    with supervised(home, environment(home)) as running:
        first = running.wait_for(ready).parts["postgres"].process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        again = running.wait_for(
            lambda s: s.parts["postgres"].status == "ready" and s.parts["postgres"].process != first
        )
        assert again.parts["postgres"].restarts == 1
        assert "postgres stopped" in running.next_note()
        assert again.parts["query"].process == running.wait_for(ready).parts["query"].process


def test_a_service_that_cannot_start_fails_the_start_with_its_own_words(home: Home) -> None:
    with supervised(home, environment(home), bad=BAD) as running:
        assert running.process.wait(PATIENCE) == 1
        snapshot = running.snapshot
    assert snapshot.phase == "failed"
    assert snapshot.detail == "worker stopped with exit code 1, 3 times in a row."
    assert snapshot.parts["worker"].log_lines[-1] == "the key has expired"
    assert alive_parts(snapshot) == []


def test_a_port_in_use_is_named_with_its_owner_and_variable(home: Home) -> None:
    env = environment(home)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(env["PILOTHOUSE_QUERY_PORT"])))
        taken.listen()
        with supervised(home, env) as running:
            assert running.process.wait(PATIENCE) == 1
            detail = running.snapshot.detail
    assert f"Port {env['PILOTHOUSE_QUERY_PORT']}, which query needs, is in use by" in detail
    assert f"pid {os.getpid()}" in detail
    assert "PILOTHOUSE_QUERY_PORT=" in detail


def test_one_port_for_two_services_is_refused() -> None:
    with pytest.raises(StartError, match=r"query and ingest are both set to port 9000\. Change PILOTHOUSE_"):
        check_ports({"query": 9000, "ingest": 9000})


def test_a_second_supervisor_leaves_the_first_alone(home: Home) -> None:
    env = environment(home)
    with supervised(home, env) as running:
        before = running.wait_for(ready)
        with supervised(home, env) as second:
            _, said = second.process.communicate(timeout=PATIENCE)
            assert second.process.returncode == 2
            assert b"already running" in said
        assert alive_parts(before) == ["postgres", "query"]
        assert running.snapshot == before


def test_after_a_kill_of_the_supervisor_nothing_is_left_and_the_next_one_starts(home: Home) -> None:
    env = environment(home)
    with supervised(home, env) as killed:
        before = killed.wait_for(ready)
        killed.process.kill()
        killed.process.wait(10)
        # Right away, while the kernel's signal may still be at work.
        with supervised(home, env) as running:
            after = running.wait_for(lambda s: ready(s) and s.supervisor != before.supervisor)
            assert alive_parts(before) == []
            assert alive_parts(after) == ["postgres", "query"]


def test_leftovers_are_stopped_by_id_and_start_time(home: Home) -> None:
    program = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(program, stdin=subprocess.PIPE) as ours,
        subprocess.Popen(program, stdin=subprocess.PIPE) as other,
    ):
        left = ProcessIdentity.of(ours.pid)
        lives = ProcessIdentity.of(other.pid)
        assert left
        assert lives
        # The second id was ours once and has been given to another program since.
        reused = ProcessIdentity(pid=other.pid, started=lives.started - 100)
        dead = ProcessIdentity(pid=os.getpid(), started=0.0)
        parts = {"query": PartState("query", process=left), "worker": PartState("worker", process=reused)}
        write_snapshot(home, Snapshot(dead, "ready", parts))
        assert stop_leftovers(home) == ["query"]
        assert ours.poll() is not None
        assert psutil.Process(other.pid).is_running()
        other.communicate(b"\n")
