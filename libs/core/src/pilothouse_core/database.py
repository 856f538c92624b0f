"""The connection pool. Vectors travel as pgvector types, times as UTC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from pilothouse_core.settings import DatabaseSettings

Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# How long one who needs a connection waits for it.
CONNECT_SECONDS = 10.0
# A node that is gone without a word is noticed in seconds; the operating system would take minutes.
NETWORK_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


@asynccontextmanager
async def open_pool(
    settings: DatabaseSettings,
    *,
    application_name: str,
    search_path: str = "public",
    read_only: bool = False,
) -> AsyncIterator[Pool]:
    """A pool whose connections know vectors, time out and carry a name.

    It opens even while the database is away and connects when it is back; whoever asks
    for a connection meanwhile gets `psycopg_pool.PoolTimeout` after ten seconds.
    """

    async def configure(connection: Connection) -> None:
        await register_vector_async(connection)
        await connection.commit()

    pool: Pool = AsyncConnectionPool(
        settings.url.get_secret_value(),
        min_size=settings.pool_min,
        max_size=max(settings.pool_max, settings.pool_min),
        timeout=CONNECT_SECONDS,
        kwargs=connection_options(
            settings, application_name=application_name, search_path=search_path, read_only=read_only
        ),
        configure=configure,
        # A connection that broke while idle (failover, restart) is replaced before it is handed out.
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    await pool.open(wait=False)
    try:
        yield pool
    finally:
        await pool.close()


def connection_options(
    settings: DatabaseSettings, *, application_name: str, search_path: str, read_only: bool = False
) -> dict[str, Any]:
    """Keyword arguments for `psycopg.connect` that give a connection the pool's session settings."""
    timeout_ms = int(settings.statement_timeout.total_seconds() * 1000)
    options = [
        f"-c search_path={search_path.replace(' ', '')}",
        f"-c statement_timeout={timeout_ms}",
        "-c timezone=UTC",
        "-c idle_in_transaction_session_timeout=60000",
    ]
    if read_only:
        options.append("-c default_transaction_read_only=on")
    return {
        **NETWORK_OPTIONS,
        "application_name": f"pilothouse-{application_name}",
        "options": " ".join(options),
    }
