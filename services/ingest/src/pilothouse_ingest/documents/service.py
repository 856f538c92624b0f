"""Decisions about documents: what an upload means, who may see, retry and delete."""

from uuid import UUID

from psycopg.errors import UniqueViolation

from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection, Pool
from pilothouse_core.failover import repeated
from pilothouse_core.problem import Problem
from pilothouse_ingest.collections import service as collections
from pilothouse_ingest.documents import repository
from pilothouse_ingest.documents.blobs import BlobStore
from pilothouse_ingest.documents.models import Document
from pilothouse_ingest.documents.upload import Upload
from pilothouse_ingest.jobs.queue import IndexQueue

_TRIES = 5


class DocumentService:
    """Accepts and changes documents, one transaction each."""

    def __init__(self, pool: Pool, queue: IndexQueue, blobs: BlobStore) -> None:
        self._pool = pool
        self._queue = queue
        self._blobs = blobs

    async def accept(self, principal: Principal, collection: str, upload: Upload) -> tuple[Document, bool]:
        """Stores an upload with its job in one commit; False when these bytes are there already.

        Raises `Problem`.
        """

        async def store() -> tuple[Document, bool]:
            async with self._pool.connection() as connection:
                # Writing a large file may take longer than other statements may.
                await connection.execute("SET LOCAL statement_timeout = '10min'")
                document_id, new = await self._store(connection, principal, collection, upload)
                return await self._found(connection, principal, document_id), new

        for _ in range(_TRIES):
            try:
                return await repeated(store)
            except UniqueViolation:
                continue  # the same upload came in twice at once; now the other one is there to be found
        raise Problem(
            status=409,
            code="upload_conflict",
            title="Several uploads of this document came at once",
            detail="Nothing was changed by this one. Try again.",
        )

    async def _store(
        self, connection: Connection, principal: Principal, name: str, upload: Upload
    ) -> tuple[UUID, bool]:
        collection = await collections.writable(connection, principal, name)
        if not await repository.lock_collection(connection, principal, collection.id):
            raise collections.not_found(name)
        incoming = upload.incoming
        same = await repository.lock_same_bytes(connection, collection.id, incoming.sha256)
        prior = None
        if incoming.external_id is not None:
            prior = await repository.lock_external(connection, collection.id, incoming.external_id)
        if same is not None:
            await self._reuse(connection, same, prior, incoming.external_id)
            return same, False
        if prior is not None:
            document_id = prior
            revision = await repository.revise(connection, prior, incoming)
        else:
            document_id = await repository.insert(connection, principal, collection.id, incoming)
            revision = 1
        await self._blobs.write(connection, document_id, revision, upload.slices())
        await self._queue.defer(connection, document_id, revision, size=incoming.size_bytes)
        return document_id, True

    async def _reuse(
        self, connection: Connection, same: UUID, prior: UUID | None, external_id: str | None
    ) -> None:
        """The bytes are there: keeps the one document, and no other version under this external id."""
        if prior is not None and prior != same:
            # What the external id stood for now has the bytes of `same`; its old text must not answer on.
            await repository.supersede(connection, prior)
        if external_id is not None and prior != same:
            await repository.adopt_external_id(connection, same, external_id)
        await self._requeue(connection, same)

    async def _requeue(self, connection: Connection, document_id: UUID) -> None:
        revision = await repository.requeue(connection, document_id)
        if revision is not None:
            await self._queue.defer(connection, document_id, revision)

    async def retry(self, principal: Principal, document_id: UUID) -> Document:
        """Tries a failed document again; one in work stays so. Raises `Problem`."""
        async with self._pool.connection() as connection:
            document = await self.writable(connection, principal, document_id)
            if document.status == "indexed":
                raise Problem(
                    status=409,
                    code="already_indexed",
                    title="There is nothing to retry",
                    detail="The document is indexed. To process it anew, delete it and upload it again.",
                )
            await self._requeue(connection, document_id)
            return await self._found(connection, principal, document_id)

    async def delete(self, principal: Principal, document_id: UUID) -> None:
        """Deletes a document with all that was made of it. Raises `Problem`."""
        async with self._pool.connection() as connection:
            if not await repository.delete(connection, principal, document_id):
                await self.writable(connection, principal, document_id)
                raise not_found(document_id)

    async def readable(self, principal: Principal, document_id: UUID) -> Document:
        """The document, if the principal may read it. Raises a 404 `Problem` otherwise."""
        async with self._pool.connection() as connection:
            document = await repository.find(connection, principal, document_id)
        if document is None or not document.can_read:
            raise not_found(document_id)
        return document

    async def writable(self, connection: Connection, principal: Principal, document_id: UUID) -> Document:
        """The document, if the principal may change it. Raises 404, or 403 for one only readable."""
        document = await self._found(connection, principal, document_id)
        if not document.can_write:
            raise collections.read_only(document.collection)
        return document

    async def _found(self, connection: Connection, principal: Principal, document_id: UUID) -> Document:
        document = await repository.find(connection, principal, document_id)
        if document is None:
            raise not_found(document_id)
        return document


def not_found(document_id: UUID) -> Problem:
    """404: there is no such document, or the caller may not know of it."""
    return Problem(
        status=404,
        code="document_not_found",
        title="There is no such document",
        detail=f"No document {document_id} exists that you may see. It may have been deleted.",
    )
