"""The embedded PostgreSQL: starts, stops, survives, and keeps out of the way."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from pilothouse.postgres import EmbeddedPostgres, PostgresError


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own, whose path is often too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="ph-") as path:
        yield Path(path)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "postgres", folder / "run")
    server.start()
    yield server
    server.stop()


def value(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def execute(server: EmbeddedPostgres, statement: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_it_serves_pgvector_on_a_private_socket_only(postgres: EmbeddedPostgres) -> None:
    execute(postgres, "CREATE EXTENSION vector")
    assert value(postgres, "SELECT '[1,2]'::vector <-> '[1,4]'::vector") == 2
    assert stat.S_IMODE(postgres.run_dir.stat().st_mode) == 0o700
    assert postgres.pid is not None
    sockets = psutil.Process(postgres.pid).net_connections(kind="tcp")
    assert not [connection for connection in sockets if connection.status == psutil.CONN_LISTEN]


def test_durability_is_not_traded_for_speed(postgres: EmbeddedPostgres) -> None:
    assert value(postgres, "SHOW fsync") == "on"
    assert value(postgres, "SHOW synchronous_commit") == "on"
    assert value(postgres, "SHOW full_page_writes") == "on"


def test_data_stays_over_a_stop_and_a_second_start(postgres: EmbeddedPostgres) -> None:
    execute(postgres, "CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    postgres.start()
    assert value(postgres, "SELECT n FROM kept") == 7


def test_committed_data_survives_a_kill(postgres: EmbeddedPostgres) -> None:
    execute(postgres, "CREATE TABLE kept AS SELECT 7 AS n")
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    psutil.Process(postgres.pid).wait(10)
    postgres.stop()
    postgres.start()
    assert value(postgres, "SELECT n FROM kept") == 7


def test_it_ends_with_an_owner_that_is_killed_and_can_be_taken_over(folder: Path) -> None:
    owner = start_in_another_process(folder)
    pid = int(owner.stdout.readline())  # type: ignore[union-attr]  # it was opened as a pipe
    server = psutil.Process(pid)
    owner.kill()
    owner.communicate()
    # Takes over at once: what is left of the old server is stopped first.
    with EmbeddedPostgres(folder / "postgres", folder / "run") as postgres:
        assert value(postgres, "SELECT n FROM kept") == 7
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


def test_two_owners_do_not_share_one_database(folder: Path, postgres: EmbeddedPostgres) -> None:
    with pytest.raises(PostgresError, match="Another process is using"):
        EmbeddedPostgres(folder / "postgres", folder / "run").start()
    assert value(postgres, "SELECT 1") == 1


def test_a_process_id_that_now_belongs_to_another_program_does_not_stop_it(
    postgres: EmbeddedPostgres,
) -> None:
    postgres.stop()
    # As after a crash of the machine: the file names a process that lives and is not ours.
    (postgres.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n", encoding="ascii")
    postgres.start()
    assert value(postgres, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_is_moved_to_a_short_one(folder: Path) -> None:
    deep = folder / ("deep" * 30)
    with EmbeddedPostgres(deep / "postgres", deep / "run") as postgres:
        assert value(postgres, "SELECT 1") == 1
        assert len(str(postgres.run_dir)) < 90
        assert stat.S_IMODE(postgres.run_dir.stat().st_mode) == 0o700
    postgres.run_dir.rmdir()


def test_a_creation_cut_short_is_begun_anew(folder: Path) -> None:
    unfinished = folder / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n", encoding="ascii")
    with EmbeddedPostgres(folder / "postgres", folder / "run") as postgres:
        assert value(postgres, "SELECT 1") == 1
    assert not unfinished.exists()


def test_foreign_files_are_not_taken_for_a_database(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PostgresError, match="no database"):
        EmbeddedPostgres(folder / "postgres", folder / "run").start()
    assert (folder / "postgres" / "thesis.txt").exists()


def test_a_damaged_database_fails_with_the_end_of_its_log(folder: Path, postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    (postgres.data_dir / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(PostgresError, match=r"(?s)stopped while starting.*pg_control"):
        postgres.start()


def start_in_another_process(folder: Path) -> subprocess.Popen[bytes]:
    program = f"""
        import sys, psycopg
        from pathlib import Path
        from pilothouse.postgres import EmbeddedPostgres
        server = EmbeddedPostgres(Path({str(folder)!r}) / "postgres", Path({str(folder)!r}) / "run")
        server.start()
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        print(server.pid, flush=True)
        sys.stdin.read()
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
