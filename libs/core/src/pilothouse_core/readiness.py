"""Whether the database can be worked with, and if not, why: in words for who runs the service."""

import asyncio

import psycopg

from pilothouse_core.database import NETWORK_OPTIONS, Pool
from pilothouse_core.schema import missing_schema
from pilothouse_core.settings import DatabaseSettings

# Twice this is less than a probe waits.
READY_SECONDS = 2.0


async def database_fault(pool: Pool, settings: DatabaseSettings) -> str | None:
    """None when it answers and has the schema that this version needs."""
    try:
        async with asyncio.timeout(READY_SECONDS), pool.connection() as connection:
            return await missing_schema(connection)
    except (psycopg.Error, TimeoutError):
        return await _explained(settings)


async def _explained(settings: DatabaseSettings) -> str:
    """A pool only says that it has no connection; an attempt of our own says why."""
    try:
        async with (
            asyncio.timeout(READY_SECONDS),
            await psycopg.AsyncConnection.connect(
                settings.url.get_secret_value(), autocommit=True, **NETWORK_OPTIONS
            ) as connection,
        ):
            reason = await missing_schema(connection)
            return reason or "All connections are in use, or it answers too slowly."
    except TimeoutError:
        return f"It does not answer within {READY_SECONDS:g} seconds."
    except psycopg.Error as exc:
        return f"It cannot be used: {' '.join(str(exc).split())}"
