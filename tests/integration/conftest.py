"""A real PostgreSQL with pgvector for the integration tests."""

from collections.abc import Iterator

import pytest

from support.database import Database, Server, open_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The test run's server."""
    with open_server() as server:
        yield server


@pytest.fixture
def database(postgres_server: Server) -> Iterator[Database]:
    """A migrated, empty database of the test's own: `database.url("pilothouse_ingest")`."""
    with postgres_server.clone() as database:
        yield database
