"""Hands files of a folder to the service that accepts uploads, as the API does."""

import asyncio
import contextlib

from pilothouse_core.auth import Principal
from pilothouse_core.database import Pool
from pilothouse_core.problem import Problem
from pilothouse_ingest.bulk.folder import Listing
from pilothouse_ingest.bulk.queue import BulkQueue
from pilothouse_ingest.bulk.reading import digest, read
from pilothouse_ingest.bulk.settings import BulkProcessSettings
from pilothouse_ingest.collections import repository as collections_repository
from pilothouse_ingest.collections import service as collections
from pilothouse_ingest.collections.repository import CollectionChange
from pilothouse_ingest.documents.blobs import PostgresBlobs
from pilothouse_ingest.documents.models import Document
from pilothouse_ingest.documents.service import DocumentService


class Intake:
    """Makes documents of files."""

    def __init__(
        self, settings: BulkProcessSettings, pool: Pool, queue: BulkQueue, listing: Listing, collection: str
    ) -> None:
        self._max_bytes = int(settings.upload.max_bytes)
        self._principal = Principal(settings.bulk.subject)
        self._documents = DocumentService(pool, queue, PostgresBlobs(pool))
        self._listing = listing
        self._collection = collection

    async def offer(self, name: str) -> tuple[Document, bool]:
        """The document that has the file's bytes, and whether they are new.

        Raises `Problem`, `OSError`, and psycopg's errors.
        """
        document, new = await self._accept(name)
        other = document.external_id
        if new or other is None or other == name or other not in self._listing.files:
            return document, new
        # Another file had these bytes too. If it has changed, its document will lose them: it goes first.
        path = self._listing.files[other]
        now = await asyncio.to_thread(digest, self._listing.root, path, max_bytes=self._max_bytes)
        if now is None or now == document.sha256:
            return document, new
        with contextlib.suppress(Problem, OSError):
            await self._accept(other)
        return await self._accept(name)

    async def _accept(self, name: str) -> tuple[Document, bool]:
        path = self._listing.files[name]
        upload = await asyncio.to_thread(read, self._listing.root, path, name=name, max_bytes=self._max_bytes)
        with upload.file:
            return await self._documents.accept(self._principal, self._collection, upload)


async def make_collection(pool: Pool, settings: BulkProcessSettings, name: str) -> None:
    """Makes the collection if there is none. Raises a `Problem` when it is not for this owner to write."""
    principal = Principal(settings.bulk.subject)
    change = CollectionChange(readers=settings.bulk.readers, writers=settings.bulk.writers)
    async with pool.connection() as connection:
        if await collections_repository.find(connection, principal, name) is None:
            await collections.put(connection, principal, name, change)
        await collections.writable(connection, principal, name)
