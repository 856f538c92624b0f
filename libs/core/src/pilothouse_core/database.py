"""The connection pool. Vectors travel as pgvector types, times as UTC.

It outlives its server: a connection that breaks, or whose server is no longer the primary, is
dropped, and new ones are tried for once a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from pilothouse_core.settings import DatabaseSettings

Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# After this long the pool begins its attempts anew; its own pauses would grow to minutes.
RECONNECT_SECONDS = 2.0
# Moved roles, renewed certificates and rebalanced poolers are noticed in this time.
LIFETIME_SECONDS = 15 * 60.0
# A node that is gone without a word is noticed in seconds; the operating system would take minutes.
NETWORK_OPTIONS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# The server shuts down, crashed, or starts: whatever is on this connection is over.
GOING_STATES = {"57P01", "57P02", "57P03"}


class NotPrimaryError(psycopg.OperationalError):
    """The server only reads now: it was the primary, and another one is or will be."""


class _LastingPool(AsyncConnectionPool[Connection]):
    """A pool that drops what a failover has made useless."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, check=self._still_good, reconnect_failed=self._begin_anew)
        self._born: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._drained = 0.0

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:  # noqa: ASYNC109  psycopg's
        """As in psycopg. Raises `NotPrimaryError` for writes on a server that has become a standby."""
        async with super().connection(timeout) as connection:
            try:
                yield connection
            except ReadOnlySqlTransaction as exc:
                await connection.close()
                raise NotPrimaryError("the server only reads now; it is no longer the primary") from exc
            except psycopg.Error as exc:
                if exc.sqlstate in GOING_STATES or (exc.sqlstate or "").startswith("08"):
                    await connection.close()
                raise

    def born(self, connection: Connection) -> None:
        """Notes a new connection's age."""
        self._born[connection] = monotonic()

    async def _still_good(self, connection: Connection) -> None:
        """Where one connection is broken, those as old are too: nobody should have to try each of them."""
        try:
            await self.check_connection(connection)
        except psycopg.Error:
            if self._born.get(connection, 0.0) >= self._drained:
                self._drained = monotonic()
                await self.drain()
            raise

    async def _begin_anew(self, _: Pool) -> None:
        if not self.closed:
            await self.check()


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
    for a connection meanwhile gets `psycopg_pool.PoolTimeout` after `settings.wait`.
    """

    async def configure(connection: Connection) -> None:
        await register_vector_async(connection)
        await connection.commit()
        pool.born(connection)

    pool = _LastingPool(
        settings.url.get_secret_value(),
        min_size=settings.pool_min,
        max_size=max(settings.pool_max, settings.pool_min),
        timeout=settings.wait.total_seconds(),
        reconnect_timeout=RECONNECT_SECONDS,
        max_lifetime=LIFETIME_SECONDS,
        kwargs=connection_options(
            settings, application_name=application_name, search_path=search_path, read_only=read_only
        ),
        configure=configure,
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
    """Keyword arguments for `psycopg.connect` that give a connection the pool's session settings.

    What the URL says about the network stays.
    """
    timeout_ms = int(settings.statement_timeout.total_seconds() * 1000)
    options = [
        f"-c search_path={search_path.replace(' ', '')}",
        f"-c statement_timeout={timeout_ms}",
        "-c timezone=UTC",
        "-c idle_in_transaction_session_timeout=60000",
    ]
    # Reading is possible on a standby too, and somebody may want it so.
    network = dict(NETWORK_OPTIONS) if read_only else {**NETWORK_OPTIONS, "target_session_attrs": "primary"}
    if read_only:
        options.append("-c default_transaction_read_only=on")
    said = conninfo_to_dict(settings.url.get_secret_value())
    return {
        **{name: value for name, value in network.items() if name not in said},
        "application_name": f"pilothouse-{application_name}",
        "options": " ".join(options),
    }
