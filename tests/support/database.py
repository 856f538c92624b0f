"""One PostgreSQL per test run, one migrated template in it, one clone of that per test.

`PILOTHOUSE_TEST_DATABASE_URL` (a superuser's) points the tests to another server.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pilothouse.postgres import EmbeddedPostgres
from pilothouse_core.migrate import migrate

TEMPLATE = "pilothouse_template"
ROLES = ("pilothouse_ingest", "pilothouse_query", "pilothouse_chat")


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a test's own."""

    admin: str  # libpq connection string of the superuser
    name: str

    def url(self, role: str) -> str:
        """Connection string as one of the product's roles."""
        return make_conninfo(self.admin, user=role)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that holds the template."""

    admin: str

    def clone(self) -> AbstractContextManager[Database]:
        """A migrated, empty database that is dropped afterwards."""
        return self._new(sql.SQL("TEMPLATE {}").format(sql.Identifier(TEMPLATE)))

    def blank(self, owner: str = "") -> AbstractContextManager[Database]:
        """One without a table, of the superuser or of this role, that is dropped afterwards."""
        return self._new(sql.SQL("OWNER {}").format(sql.Identifier(owner) if owner else sql.SQL("DEFAULT")))

    @contextmanager
    def _new(self, options: sql.Composed) -> Iterator[Database]:
        name = f"test_{uuid4().hex}"
        self._execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options))
        try:
            yield Database(make_conninfo(self.admin, dbname=name), name)
        finally:
            self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def open_server() -> Iterator[Server]:
    """The server of this test run, with the template made."""
    given = os.environ.get("PILOTHOUSE_TEST_DATABASE_URL")
    if given:
        yield _with_template(given)
        return
    with tempfile.TemporaryDirectory(prefix="ph-pg-") as folder:
        postgres = EmbeddedPostgres(Path(folder) / "data", Path(folder) / "run")
        postgres.start()
        try:
            yield _with_template(postgres.dsn("postgres", "postgres"))
        finally:
            postgres.stop()


def _with_template(admin: str) -> Server:
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(TEMPLATE))
        )
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    migrate(make_conninfo(admin, dbname=TEMPLATE))
    with psycopg.connect(admin, autocommit=True) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))
    return Server(admin)
