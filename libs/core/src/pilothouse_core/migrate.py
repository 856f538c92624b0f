"""Brings a database to the newest schema: numbered SQL files, forward only, one at a time.

Each file runs in its own transaction, under an advisory lock, so that any number of
callers may start at once. `-- include: package/path.sql` puts in a file of an installed
package (the job queue's own schema).
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, ReadOnlySqlTransaction
from pydantic_settings import SettingsError

from pilothouse_core.conninfo import conninfo_fault
from pilothouse_core.database import NETWORK_OPTIONS
from pilothouse_core.environment import with_files
from pilothouse_core.schema import (
    APPLIED,
    STATE,
    NewerDatabaseError,
    available,
    kind_of,
    pending_after,
    pending_unread,
)

LOCK_KEY = 4_017_202_611  # any constant; every version of Pilothouse must use the same
INCLUDE = re.compile(r"^-- include: (?P<package>\w+)/(?P<path>\S+)$", re.MULTILINE)
LOCK_TIMEOUT = "5s"
ROLES = ("pilothouse_ingest", "pilothouse_query", "pilothouse_chat")
POLL_SECONDS = 1.0
REFUSED_SECONDS = 20.0
NOT_DONE = 3  # exit code
# A database that starts, fails over, or whose roles and extension somebody else is about to make.
MAY_PASS = (psycopg.OperationalError, InsufficientPrivilege, FeatureNotSupported, ReadOnlySqlTransaction)

Say = Callable[[str], None]


def pending(connection: psycopg.Connection) -> list[str]:
    """Names of the migrations that have not been applied; raises `NewerDatabaseError`."""
    exists, readable = connection.execute(STATE).fetchone() or (False, False)
    if not readable:
        return pending_unread(exists=exists)
    return pending_after(dict(connection.execute(APPLIED).fetchall()))


def migrate(dsn: str) -> list[str]:
    """Applies what is pending and returns the names. Raises `NewerDatabaseError` or `psycopg.Error`."""
    done = []
    with _connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        connection.execute(sql.SQL("SET lock_timeout = {}").format(LOCK_TIMEOUT))
        for name in pending(connection):
            with connection.transaction():
                _prepare_table(connection)
                # Migrations are our own files; the protocol without parameters allows many statements.
                connection.execute(_with_includes(available()[name]).encode())
                connection.execute(
                    "INSERT INTO public.pilothouse_migrations (name, kind) VALUES (%s, %s)",
                    (name, kind_of(name)),
                )
            done.append(name)
    return done


def set_passwords(dsn: str, folder: Path) -> None:
    """Lets the services' roles log in with the passwords in `<role>.password`.

    What is sent is the hash that the server would store, so that no log holds a password.
    Raises `OSError` for a file that cannot be read.
    """
    passwords = {role: (folder / f"{role}.password").read_text(encoding="utf-8").strip() for role in ROLES}
    with _connect(dsn) as connection, connection.transaction():
        for role, password in passwords.items():
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            connection.execute(
                sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), hashed.decode())
            )


def wait_for(
    attempt: Callable[[], str | None], seconds: float, say: Say, *, refused_seconds: float = REFUSED_SECONDS
) -> bool:
    """Tries until there is no reason left why not, or the time is over. A new reason is said once.

    A refused password ends it early: a program that is started anew may get another one.
    """
    deadline = time.monotonic() + seconds
    refused_since = None
    said = None
    while True:
        now = time.monotonic()
        try:
            reason = attempt()
            refused_since = None
        except MAY_PASS as exc:
            reason = explain(exc)
            refused_since = (refused_since or now) if _is_refusal(exc) else None
        if reason is None:
            return True
        if reason != said:
            say(reason)
            said = reason
        if now >= deadline or (refused_since is not None and now >= refused_since + refused_seconds):
            return False
        time.sleep(POLL_SECONDS)


def _is_refusal(exc: psycopg.Error) -> bool:
    """Whether the server does not let us in. libpq gives no code before the session stands, only words."""
    return any(
        words in str(exc) for words in ("authentication failed", "no password supplied", '" does not exist')
    )


def explain(exc: psycopg.Error) -> str:
    """What stands in the way, in words."""
    said = (exc.diag.message_primary or str(exc)).strip()
    if isinstance(exc, InsufficientPrivilege):
        return (
            f"This role may not do all that is needed: {said}. Let an administrator make the extension "
            f"vector and the roles {', '.join(ROLES)} first, or migrate as a role that may."
        )
    if isinstance(exc, FeatureNotSupported):
        return f"The server lacks something: {said}. Pilothouse needs pgvector on the server."
    if isinstance(exc, ReadOnlySqlTransaction):
        return f"The server is read-only, perhaps no longer the primary: {said}."
    return f"The database cannot be used: {said}."


def _connect(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True, application_name="pilothouse-migrate", **NETWORK_OPTIONS)


def _prepare_table(connection: psycopg.Connection) -> None:
    """The first versions kept no kinds; all that they knew were expansions."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS public.pilothouse_migrations "
        "(name text PRIMARY KEY, kind text, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    connection.execute("ALTER TABLE public.pilothouse_migrations ADD COLUMN IF NOT EXISTS kind text")
    connection.execute(
        "UPDATE public.pilothouse_migrations SET kind = 'expand' WHERE kind IS NULL AND name = ANY(%s)",
        (list(available()),),
    )


def _with_includes(text: str) -> str:
    def read(match: re.Match[str]) -> str:
        return (files(match["package"]) / match["path"]).read_text(encoding="utf-8")

    return INCLUDE.sub(read, text)


def check_command(dsn: str, seconds: float, say: Say = print) -> None:
    """Ends with code 0 when the schema is what this version needs, with 3 when it is not in time."""

    def attempt() -> str | None:
        with _connect(dsn) as connection:
            names = pending(connection)
        return "pending: " + ", ".join(names) if names else None

    if not wait_for(attempt, seconds, say):
        sys.exit(NOT_DONE)
    say("up to date")


def migrate_command(dsn: str, seconds: float, passwords: Path | None, say: Say = print) -> None:
    """Migrates, and ends with code 1 when that was not possible in time."""
    applied: list[str] = []

    def attempt() -> None:
        applied.extend(migrate(dsn))
        if passwords is not None:
            set_passwords(dsn, passwords)

    if not wait_for(attempt, seconds, say):
        sys.exit("The database was not migrated; the last reason stands above.")
    say("applied: " + ", ".join(applied) if applied else "up to date")


def main() -> None:
    """`pilothouse-migrate`: migrates the database of PILOTHOUSE_DATABASE_URL."""
    parser = argparse.ArgumentParser(
        description="Bring the database of PILOTHOUSE_DATABASE_URL to the newest schema."
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what is pending; exit code 3 if anything is"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="go on trying for so long: for a database that is not there yet, or with --check "
        "until somebody else has migrated it",
    )
    parser.add_argument(
        "--passwords",
        type=Path,
        metavar="DIR",
        help="afterwards let the services' roles log in with the passwords in DIR/<role>.password",
    )
    arguments = parser.parse_args()
    # A container's log is read while it waits.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # text unless replaced
    try:
        dsn = with_files(os.environ).get("PILOTHOUSE_DATABASE_URL")
        if not dsn:
            sys.exit("Set PILOTHOUSE_DATABASE_URL to the database to migrate.")
        if fault := conninfo_fault(dsn):
            sys.exit(f"PILOTHOUSE_DATABASE_URL {fault}")
        if arguments.check:
            check_command(dsn, arguments.wait)
        else:
            migrate_command(dsn, arguments.wait, arguments.passwords)
    except (SettingsError, NewerDatabaseError) as exc:
        sys.exit(str(exc).strip())
    except OSError as exc:
        sys.exit(f"The passwords cannot be read: {exc}")
    except psycopg.Error as exc:
        sys.exit(f"Migration failed: {exc}")


if __name__ == "__main__":
    main()
