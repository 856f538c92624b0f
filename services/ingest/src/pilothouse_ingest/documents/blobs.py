"""Original bytes in slices: written with the row that accepts them, read one slice at a time."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Protocol
from uuid import UUID

from psycopg.rows import scalar_row

from pilothouse_core.database import Connection, Pool
from pilothouse_core.failover import repeated

SLICE = 2**20  # bytes; all slices but the last have this size

WRITE = "COPY document_blobs (document_id, revision, seq, data) FROM STDIN (FORMAT BINARY)"
READ = """
SELECT data FROM document_blobs
WHERE document_id = %(document_id)s AND revision = %(revision)s AND seq = %(seq)s
"""


class BlobMissingError(Exception):
    """The bytes are gone: the document was deleted or replaced meanwhile."""


class BlobStore(Protocol):
    """Where original bytes are kept."""

    async def write(
        self, connection: Connection, document_id: UUID, revision: int, slices: AsyncIterator[bytes]
    ) -> None:
        """Stores slices of `SLICE` bytes as part of the connection's transaction."""
        ...

    def read(
        self, document_id: UUID, revision: int, *, size: int, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`. Raises `BlobMissingError`."""
        ...


class PostgresBlobs:
    """Bytes as rows beside their document, so that one commit accepts both."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def write(
        self, connection: Connection, document_id: UUID, revision: int, slices: AsyncIterator[bytes]
    ) -> None:
        """Stores slices of `SLICE` bytes as part of the connection's transaction."""
        async with connection.cursor() as cursor, cursor.copy(WRITE) as copy:
            copy.set_types(["uuid", "int4", "int4", "bytea"])
            seq = 0
            async for piece in slices:
                await copy.write_row((document_id, revision, seq, piece))
                seq += 1

    async def read(
        self, document_id: UUID, revision: int, *, size: int, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`; holds no connection between slices."""
        stop = size if end is None else min(end, size)
        for seq in range(start // SLICE, -(-stop // SLICE)):
            data = await repeated(partial(self._slice, document_id, revision, seq))
            first = seq * SLICE
            yield data[max(0, start - first) : stop - first]

    async def _slice(self, document_id: UUID, revision: int, seq: int) -> bytes:
        async with self._pool.connection() as connection, connection.cursor(row_factory=scalar_row) as cursor:
            # Binary results: text ones would arrive as hexadecimal, twice the size.
            await cursor.execute(
                READ, {"document_id": document_id, "revision": revision, "seq": seq}, binary=True
            )
            data: bytes | None = await cursor.fetchone()
        if data is None:
            raise BlobMissingError(str(document_id))
        return data
