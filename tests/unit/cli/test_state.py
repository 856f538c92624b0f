"""What the supervisor writes and others read."""

import os
import subprocess
import sys
from pathlib import Path

from pilothouse.home import Home
from pilothouse.processes import ProcessIdentity
from pilothouse.state import PartState, Snapshot, read_snapshot, write_snapshot


def own_identity() -> ProcessIdentity:
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    return identity


def test_a_snapshot_is_read_as_it_was_written(tmp_path: Path) -> None:
    part = PartState("query", "failed", own_identity(), 8082, 2, "stopped with exit code 1", ("a", "b"), 12.5)
    snapshot = Snapshot(own_identity(), "failed", {"query": part}, "query stopped", "/tmp/socket")
    write_snapshot(Home(tmp_path), snapshot)
    assert read_snapshot(Home(tmp_path)) == snapshot


def test_writing_leaves_no_other_file_behind(tmp_path: Path) -> None:
    write_snapshot(Home(tmp_path), Snapshot(own_identity(), "ready"))
    write_snapshot(Home(tmp_path), Snapshot(own_identity(), "stopping"))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_no_state_and_foreign_state_are_no_snapshot(tmp_path: Path) -> None:
    assert read_snapshot(Home(tmp_path)) is None
    (tmp_path / "state.json").write_text('{"supervisor": 3', encoding="utf-8")
    assert read_snapshot(Home(tmp_path)) is None
    (tmp_path / "state.json").write_text('{"version": 9}', encoding="utf-8")
    assert read_snapshot(Home(tmp_path)) is None


def test_a_process_that_ended_is_not_running() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    assert identity.alive
    process.communicate()
    assert not identity.alive


def test_another_process_with_the_same_id_is_not_mistaken_for_it() -> None:
    reused = ProcessIdentity(pid=os.getpid(), started=own_identity().started - 3600)
    assert not reused.alive
    assert not Snapshot(reused, "ready").running


def test_ports_and_address_come_from_the_parts() -> None:
    snapshot = Snapshot(own_identity(), "ready", {"chat-ui": PartState("chat-ui", port=9080)})
    assert snapshot.address == "http://127.0.0.1:9080"
    assert snapshot.port("model-server") is None
