"""Makes the product's database in a fresh cluster and brings it to the newest schema."""

import psycopg
from psycopg import sql

from pilothouse.parts import DATABASE
from pilothouse.postgres import EmbeddedPostgres
from pilothouse_core.migrate import migrate, pending
from pilothouse_core.schema import NewerDatabaseError

ROLES = ("pilothouse_ingest", "pilothouse_query", "pilothouse_chat")


class DatabaseError(Exception):
    """The database could not be prepared; the message says why and what to do."""


def prepare_database(postgres: EmbeddedPostgres) -> list[str]:
    """Create what is missing and migrate; answers the migrations applied. Raises DatabaseError."""
    try:
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        applied = migrate(postgres.dsn(database=DATABASE))
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            for role in ROLES:
                # No password: who can reach the socket may connect.
                connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(sql.Identifier(role)))
    except NewerDatabaseError as exc:
        raise DatabaseError(str(exc)) from exc
    except psycopg.Error as exc:
        raise DatabaseError(
            f"The database could not be brought to the newest schema, and was left as it was: {exc}"
        ) from exc
    return applied


def embedding_model(dsn: str) -> str | None:
    """The model whose vectors are searched; None before the first document. Raises psycopg.Error."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT model FROM documents.embedding_spaces WHERE state = 'active'"
        ).fetchone()
    return row[0] if row else None


def database_faults(dsn: str) -> list[str]:
    """What is wrong with a running database, in words; empty when all is well."""
    faults = []
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            rows = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND rolcanlogin", (list(ROLES),)
            )
            missing = sorted(set(ROLES) - {row[0] for row in rows})
            if missing:
                faults.append(f"roles that cannot log in: {', '.join(missing)}")
            if names := pending(connection):
                faults.append(f"migrations not applied: {', '.join(names)}")
    except NewerDatabaseError as exc:
        faults.append(str(exc))
    except psycopg.Error as exc:
        faults.append(f"cannot connect: {exc}")
    return faults
