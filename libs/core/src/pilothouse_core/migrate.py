"""Brings a database to the newest schema: numbered SQL files, forward only, one at a time.

Each file runs in its own transaction, under an advisory lock, so that any number of
callers may start at once. `-- include: package/path.sql` puts in a file of an installed
package (the job queue's own schema).
"""

import argparse
import os
import re
import sys
from importlib.resources import files

import psycopg
from psycopg import sql

LOCK_KEY = 4_017_202_611  # any constant; every version of Pilothouse must use the same
INCLUDE = re.compile(r"^-- include: (?P<package>\w+)/(?P<path>\S+)$", re.MULTILINE)
LOCK_TIMEOUT = "5s"


class NewerDatabaseError(Exception):
    """The database was migrated by a newer Pilothouse than this one."""


def available() -> dict[str, str]:
    """All migrations, name to SQL, in the order in which they apply."""
    folder = files("pilothouse_core") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name.removesuffix(".sql"): (folder / name).read_text(encoding="utf-8") for name in names}


def pending(connection: psycopg.Connection) -> list[str]:
    """Names of the migrations that have not been applied; raises `NewerDatabaseError`."""
    exists = connection.execute("SELECT to_regclass('public.pilothouse_migrations') IS NOT NULL").fetchone()
    if not exists or not exists[0]:
        return list(available())
    applied = {row[0] for row in connection.execute("SELECT name FROM public.pilothouse_migrations")}
    unknown = sorted(applied - available().keys())
    if unknown:
        raise NewerDatabaseError(
            f"This database has been migrated by a newer Pilothouse (it knows {unknown[-1]}). "
            "Install that version or newer; nothing was changed."
        )
    return [name for name in available() if name not in applied]


def migrate(dsn: str) -> list[str]:
    """Applies what is pending and returns the names. Raises `NewerDatabaseError` or `psycopg.Error`."""
    done = []
    with psycopg.connect(dsn, autocommit=True, application_name="pilothouse-migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        connection.execute(sql.SQL("SET lock_timeout = {}").format(LOCK_TIMEOUT))
        for name in pending(connection):
            with connection.transaction():
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS public.pilothouse_migrations "
                    "(name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
                )
                # Migrations are our own files; the protocol without parameters allows many statements.
                connection.execute(_with_includes(available()[name]).encode())
                connection.execute("INSERT INTO public.pilothouse_migrations (name) VALUES (%s)", (name,))
            done.append(name)
    return done


def _with_includes(text: str) -> str:
    def read(match: re.Match[str]) -> str:
        return (files(match["package"]) / match["path"]).read_text(encoding="utf-8")

    return INCLUDE.sub(read, text)


def main() -> None:
    """`pilothouse-migrate`: migrates the database of PILOTHOUSE_DATABASE_URL."""
    parser = argparse.ArgumentParser(
        description="Bring the database of PILOTHOUSE_DATABASE_URL to the newest schema."
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what is pending; exit code 3 if anything is"
    )
    arguments = parser.parse_args()
    dsn = os.environ.get("PILOTHOUSE_DATABASE_URL", "")
    if not dsn:
        sys.exit("Set PILOTHOUSE_DATABASE_URL to the database to migrate.")
    try:
        if arguments.check:
            with psycopg.connect(dsn, autocommit=True) as connection:
                names = pending(connection)
            print("pending: " + ", ".join(names) if names else "up to date")
            sys.exit(3 if names else 0)
        names = migrate(dsn)
    except (NewerDatabaseError, psycopg.Error) as exc:
        sys.exit(f"Migration failed: {exc}")
    print("applied: " + ", ".join(names) if names else "up to date")


if __name__ == "__main__":
    main()
