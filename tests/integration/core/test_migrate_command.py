"""`pilothouse-migrate` as an operator and a pod see it: waiting, passwords, and who it may run as."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pilothouse_core.migrate import ROLES, check_command, main, migrate, migrate_command, wait_for
from pilothouse_core.schema import NewerDatabaseError, available, kind_of
from support.database import Database, Server

OWNER = "pilothouse"


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[str]:
    """A new database that belongs to a role without special rights, as CloudNativePG makes it."""
    with psycopg.connect(postgres_server.admin, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(OWNER)))
    with postgres_server.blank(OWNER) as database:
        yield database.admin


def execute(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(statement.encode())


class Lines(list[str]):
    """What was said; `heard` is set with the first line."""

    def __init__(self) -> None:
        self.heard = threading.Event()

    def say(self, line: str) -> None:
        self.append(line)
        self.heard.set()


def test_an_owner_without_special_rights_migrates_what_an_operator_has_prepared(empty: str) -> None:
    execute(empty, "CREATE EXTENSION vector")
    lines = Lines()
    migrate_command(make_conninfo(empty, user=OWNER), 0, None, lines.say)
    assert lines == ["applied: " + ", ".join(available())]


def test_it_waits_for_the_extension_that_the_operator_is_about_to_make(empty: str) -> None:
    lines = Lines()
    dsn = make_conninfo(empty, user=OWNER)
    waiting = threading.Thread(target=migrate_command, args=(dsn, 60, None, lines.say))
    waiting.start()
    assert lines.heard.wait(30)
    assert "may not do all that is needed" in lines[0]
    execute(empty, "CREATE EXTENSION vector")
    waiting.join(30)
    assert lines[1:] == ["applied: " + ", ".join(available())]


def test_a_database_that_is_away_is_a_reason_and_not_a_crash(tmp_path: Path) -> None:
    lines = Lines()
    with pytest.raises(SystemExit, match="not migrated"):
        migrate_command(f"host={tmp_path} dbname=pilothouse", 0, None, lines.say)
    assert "The database cannot be used" in lines[0]


def test_a_url_that_cannot_be_read_shows_nothing_of_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DATABASE_URL", "postgresql://mai:hun%ter2@db.example/pilothouse")
    monkeypatch.setattr("sys.argv", ["pilothouse-migrate"])
    with pytest.raises(SystemExit, match="PILOTHOUSE_DATABASE_URL is a database URL") as stopped:
        main()
    assert "ter2" not in str(stopped.value)


def test_a_login_that_is_refused_is_not_waited_for_until_the_end(empty: str) -> None:
    """A container's environment is fixed: only a new one can bring the password that is right by now."""
    lines = Lines()

    def attempt() -> None:
        psycopg.connect(make_conninfo(empty, user="nobody_at_all")).close()

    assert not wait_for(attempt, 600, lines.say, refused_seconds=0)
    assert 'role "nobody_at_all" does not exist' in lines[0]


@pytest.mark.parametrize("role", [OWNER, *ROLES])
def test_every_role_can_wait_until_another_has_migrated(empty: str, role: str) -> None:
    execute(empty, "CREATE EXTENSION vector")
    lines = Lines()
    waiting = threading.Thread(target=check_command, args=(make_conninfo(empty, user=role), 60, lines.say))
    waiting.start()
    assert lines.heard.wait(30)
    migrate(make_conninfo(empty, user=OWNER))
    waiting.join(30)
    assert lines == ["pending: " + ", ".join(available()), "up to date"]


def test_a_check_says_what_is_pending_with_a_code_of_its_own(empty: str) -> None:
    lines = Lines()
    with pytest.raises(SystemExit) as ended:
        check_command(empty, 0, lines.say)
    assert ended.value.code == 3
    assert lines == ["pending: " + ", ".join(available())]


def test_a_database_of_the_first_version_is_brought_up(empty: str) -> None:
    """That version's table had no kinds, and the services could not read it."""
    migrate(empty)
    execute(empty, "DELETE FROM public.pilothouse_migrations WHERE name > '0006'")
    execute(empty, "REVOKE SELECT ON public.pilothouse_migrations FROM PUBLIC, " + ", ".join(ROLES))
    execute(empty, "ALTER TABLE public.pilothouse_migrations DROP COLUMN kind")
    as_query = make_conninfo(empty, user="pilothouse_query")
    lines = Lines()
    with pytest.raises(SystemExit):
        check_command(as_query, 0, lines.say)
    assert lines == ["pending: " + ", ".join(name for name in available() if name > "0006")]
    migrate(empty)
    check_command(as_query, 0, lines.say)
    with psycopg.connect(empty) as connection:
        kinds: dict[str, str] = dict(
            connection.execute("SELECT name, kind FROM public.pilothouse_migrations").fetchall()
        )
    assert kinds == {name: kind_of(name) for name in available()}


def test_an_expansion_of_a_newer_release_does_not_stop_this_one(database: Database) -> None:
    execute(
        database.admin, "INSERT INTO public.pilothouse_migrations (name, kind) VALUES ('9999_a', 'expand')"
    )
    lines = Lines()
    check_command(database.url("pilothouse_ingest"), 0, lines.say)
    migrate_command(database.admin, 0, None, lines.say)
    assert lines == ["up to date", "up to date"]


@pytest.mark.parametrize("kind", ["'contract'", "'something-new'", "NULL"])
def test_anything_else_of_a_newer_release_ends_the_wait_at_once(database: Database, kind: str) -> None:
    execute(
        database.admin, f"INSERT INTO public.pilothouse_migrations (name, kind) VALUES ('9999_a', {kind})"
    )
    with pytest.raises(NewerDatabaseError, match=r"9999_a.*Install that version or newer"):
        check_command(database.url("pilothouse_ingest"), 600)


def test_the_roles_get_the_passwords_of_the_files(empty: str, tmp_path: Path) -> None:
    for role in ROLES:
        (tmp_path / f"{role}.password").write_text(f"secret of {role}\n")
    migrate_command(empty, 0, tmp_path, Lines().say)
    with psycopg.connect(empty) as connection:
        stored: dict[str, str] = dict(
            connection.execute(
                "SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin AND rolname = ANY(%s)",
                (list(ROLES),),
            ).fetchall()
        )
    assert all(is_hash_of(stored[role], f"secret of {role}") for role in ROLES)


def test_a_missing_password_changes_no_role(empty: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"pilothouse_ingest\.password"):
        migrate_command(empty, 0, tmp_path, Lines().say)


def is_hash_of(stored: str, password: str) -> bool:
    """Whether a stored SCRAM secret (RFC 5803) is that of the password."""
    mechanism, parameters, keys = stored.split("$")
    iterations, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    return mechanism == "SCRAM-SHA-256" and keys.partition(":")[0] == stored_key
