"""Migrations: complete, repeatable, safe to start at once, and with least privilege."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pilothouse_core.migrate import migrate
from pilothouse_core.schema import NewerDatabaseError, available
from support.database import Database, Server


def test_many_callers_at_once_apply_each_migration_once(postgres_server: Server) -> None:
    with postgres_server.blank() as database:
        with ThreadPoolExecutor(4) as callers:
            applied = [names for names in callers.map(migrate, [database.admin] * 4) if names]
        assert applied == [list(available())]
        assert migrate(database.admin) == []


def test_a_database_of_a_newer_release_is_left_alone(database: Database) -> None:
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("INSERT INTO public.pilothouse_migrations (name) VALUES ('9999_future')")
    with pytest.raises(NewerDatabaseError, match="9999_future"):
        migrate(database.admin)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("pilothouse_query", "DELETE FROM documents.documents"),
        (
            "pilothouse_query",
            "INSERT INTO documents.collections (id, name, owner) VALUES (gen_random_uuid(), 'a', 'b')",
        ),
        ("pilothouse_query", "SELECT * FROM documents.document_blobs"),
        ("pilothouse_query", "SELECT * FROM chat.messages"),
        ("pilothouse_query", "SELECT documents.ensure_embedding_space('m', 3)"),
        ("pilothouse_chat", "SELECT * FROM documents.chunks"),
        ("pilothouse_chat", "SELECT * FROM jobs.procrastinate_jobs"),
        ("pilothouse_ingest", "SELECT * FROM chat.sessions"),
        ("pilothouse_ingest", "DROP TABLE documents.chunks"),
    ],
)
def test_each_role_may_only_what_its_service_needs(database: Database, role: str, statement: str) -> None:
    with (
        psycopg.connect(database.url(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def add_vector(connection: psycopg.Connection, space: object) -> None:
    """A vector in this space, of no chunk that is there."""
    connection.execute("SET session_replication_role = replica")
    connection.execute(
        "INSERT INTO documents.chunk_embeddings VALUES (gen_random_uuid(), %s, gen_random_uuid(), '[1,2,3]')",
        (space,),
    )


def test_the_first_embedding_space_is_active_and_indexed(database: Database) -> None:
    with psycopg.connect(database.admin) as connection:
        first = connection.execute("SELECT * FROM documents.ensure_embedding_space('a', 3)").fetchone()
        again = connection.execute("SELECT * FROM documents.ensure_embedding_space('a', 3)").fetchone()
        assert first is not None
        add_vector(connection, first[0])
        second = connection.execute("SELECT state FROM documents.ensure_embedding_space('b', 5)").fetchone()
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'chunk_embeddings_hnsw_%' ORDER BY 1"
        ).fetchall()
    assert first == again
    assert first[3] == "active"
    assert second == ("filling",)
    assert ["halfvec(3)" in indexes[0][0], "halfvec(5)" in indexes[1][0]] == [True, True]


def test_a_space_without_vectors_gives_way_to_the_next_model(database: Database) -> None:
    with psycopg.connect(database.url("pilothouse_ingest")) as connection:

        def ensure(model: str) -> str:
            row = connection.execute(
                "SELECT state FROM documents.ensure_embedding_space(%s, 3)", (model,)
            ).fetchone()
            assert row is not None
            return str(row[0])

        assert [ensure("a"), ensure("b"), ensure("b"), ensure("a")] == ["active"] * 4
        states = connection.execute("SELECT model, state FROM documents.embedding_spaces").fetchall()
    assert sorted(states) == [("a", "active"), ("b", "retired")]


def test_a_callers_temporary_table_does_not_stand_in_for_the_spaces(database: Database) -> None:
    with psycopg.connect(database.url("pilothouse_ingest")) as connection:
        connection.execute(
            "CREATE TEMP TABLE embedding_spaces (LIKE documents.embedding_spaces INCLUDING ALL)"
        )
        connection.execute("SELECT documents.ensure_embedding_space('a', 3)")
        found = connection.execute("SELECT model FROM documents.embedding_spaces").fetchall()
    assert found == [("a",)]
