"""A door in front of a PostgreSQL server: shut it, and the server is away for whoever goes through it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from support.database import Database

SOCKET = ".s.PGSQL.5432"


class Gate:
    """Passes connections on over a unix socket of its own; `gated` opens one."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._upstream = conninfo_to_dict(database.admin)
        self._path = folder / SOCKET
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.database = Database(make_conninfo(database.admin, host=str(folder), port="5432"), database.name)
        self.doomed: bytes | None = None
        """Whoever sends these bytes loses the answer to the COMMIT that follows."""
        self.struck = 0
        """How many were."""

    async def open(self) -> None:
        """The server is there (again)."""
        self._server = await asyncio.start_unix_server(self._enter, str(self._path))

    async def shut(self) -> None:
        """Cuts all connections and refuses new ones, as a server that crashed."""
        assert self._server is not None
        self._server.close()
        self._path.unlink(missing_ok=True)
        self.cut()

    def cut(self) -> None:
        """Breaks the connections that there are."""
        for connection in self._connections:
            connection.cancel()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            inner, out = await self._connect()
            lost = asyncio.Event()
            ways = [
                asyncio.create_task(self._upward(reader, out, lost)),
                asyncio.create_task(self._downward(inner, writer, lost)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                out.close()
        except asyncio.CancelledError:
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = str(self._upstream.get("host") or ""), self._upstream.get("port") or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host or "localhost", int(port))

    async def _upward(
        self, reader: asyncio.StreamReader, out: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        is_doomed = False
        while data := await reader.read(2**16):
            if self.doomed is not None and self.doomed in data:
                self.doomed, is_doomed = None, True
            if is_doomed and b"COMMIT" in data:
                self.struck += 1
                lost.set()
            out.write(data)

    async def _downward(
        self, inner: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        while data := await inner.read(2**16):
            if lost.is_set():
                return
            writer.write(data)


@asynccontextmanager
async def gated(database: Database) -> AsyncIterator[Gate]:
    """An open gate; its `database` leads through it."""
    with tempfile.TemporaryDirectory(prefix="ph-gate-") as folder:
        gate = Gate(database, Path(folder))
        await gate.open()
        try:
            yield gate
        finally:
            await gate.shut()
