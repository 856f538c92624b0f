"""SQL of the worker: taking a document up, showing progress, and the swap."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg.rows import class_row

from pilothouse_core.database import Connection
from pilothouse_core.embedding import DimensionError, EmbedderError, OtherModelError
from pilothouse_core.ids import new_id
from pilothouse_ingest.chunking.chunker import Chunk
from pilothouse_ingest.parsing.models import ParsedDocument

# Only what is unfinished and still the newest version: a job that comes twice or late does nothing.
BEGIN = """
UPDATE documents SET status = 'parsing', progress = 0, updated_at = clock_timestamp()
WHERE id = %(id)s AND revision = %(revision)s AND status IN ('queued', 'parsing', 'embedding')
RETURNING id, collection_id, revision, filename, media_type, size_bytes
"""

PROGRESS = """
UPDATE documents SET status = 'embedding', progress = %(progress)s, updated_at = clock_timestamp()
WHERE id = %(id)s AND revision = %(revision)s AND status IN ('queued', 'parsing', 'embedding')
"""

WAIT = """
UPDATE documents SET status = 'queued', progress = 0, updated_at = clock_timestamp()
WHERE id = %(id)s AND revision = %(revision)s AND status IN ('parsing', 'embedding')
"""

FAIL = """
UPDATE documents
SET status = 'failed', error_code = %(code)s, error_detail = %(detail)s, updated_at = clock_timestamp()
WHERE id = %(id)s AND revision = %(revision)s AND status <> 'indexed'
"""

SPACE = "SELECT id, model, dimension, state FROM ensure_embedding_space(%(model)s, %(dimension)s)"
ACTIVE_SPACE = """
SELECT s.model, s.dimension, EXISTS (SELECT FROM chunk_embeddings WHERE space_id = s.id)
FROM embedding_spaces s WHERE s.state = 'active'
"""
# `ensure_embedding_space` takes this lock alone, and so retires no space that vectors are just put into.
LOCK_SPACES = "SELECT pg_advisory_xact_lock_shared(hashtext('documents.embedding_spaces'))"
IS_ACTIVE = "SELECT FROM embedding_spaces WHERE id = %(space)s AND state = 'active'"

# Two workers with the same document wait for each other here, not inside the COPY.
LOCK_SWAP = (
    "SELECT pg_advisory_xact_lock(hashtextextended('pilothouse.swap', 0) # hashtextextended(%(id)s::text, 0))"
)
# The collection is locked first, as by who deletes it: the chunks' foreign keys would lock it after the
# document, and the two would wait for each other.
IS_CURRENT = """
SELECT d.revision FROM documents d JOIN collections c ON c.id = d.collection_id
WHERE d.id = %(id)s AND d.revision = %(revision)s AND d.status IN ('queued', 'parsing', 'embedding')
FOR KEY SHARE OF c
"""
DELETE_CHUNKS = "DELETE FROM chunks WHERE document_id = %(id)s"
COPY_CHUNKS = """
COPY chunks (id, document_id, collection_id, ordinal, text, start_offset, end_offset, page, heading,
             token_count, tokens) FROM STDIN
"""
COPY_EMBEDDINGS = """
COPY chunk_embeddings (chunk_id, space_id, collection_id, embedding) FROM STDIN (FORMAT BINARY)
"""
PUT_TEXT = """
INSERT INTO document_texts (document_id, text, pages) VALUES (%(id)s, %(text)s, %(pages)s)
ON CONFLICT (document_id) DO UPDATE SET text = excluded.text, pages = excluded.pages
"""
DELETE_OLD_BLOBS = "DELETE FROM document_blobs WHERE document_id = %(id)s AND revision < %(revision)s"
FINISH = """
UPDATE documents
SET status = 'indexed', progress = 1, title = %(title)s, indexed_revision = %(revision)s,
    chunk_count = %(chunk_count)s, error_code = NULL, error_detail = NULL, updated_at = clock_timestamp()
WHERE id = %(id)s AND revision = %(revision)s AND status IN ('queued', 'parsing', 'embedding')
RETURNING id
"""


class SupersededError(Exception):
    """While a version was being indexed, a newer one came or the document was deleted."""


class SpaceRetiredError(EmbedderError):
    """While a document was being embedded, another model's space became the active one."""


@dataclass(frozen=True, slots=True)
class Work:
    """A document taken up for indexing."""

    id: UUID
    collection_id: UUID
    revision: int
    filename: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Indexed:
    """Everything that is made of a version of a document. The sequences run in step."""

    title: str
    parsed: ParsedDocument
    chunks: Sequence[Chunk]
    lexemes: Sequence[str]
    vectors: NDArray[np.float16]


async def begin(connection: Connection, document_id: UUID, revision: int) -> Work | None:
    """Takes a document up; None when there is nothing (left) to do."""
    async with connection.cursor(row_factory=class_row(Work)) as cursor:
        await cursor.execute(BEGIN, {"id": document_id, "revision": revision})
        return await cursor.fetchone()


async def show_progress(connection: Connection, work: Work, progress: float) -> None:
    """Tells who watches how far the embedding is, 0 to 1."""
    await connection.execute(PROGRESS, {"id": work.id, "revision": work.revision, "progress": progress})


async def wait(connection: Connection, document_id: UUID, revision: int) -> None:
    """Back to `queued`, until the job is tried again."""
    await connection.execute(WAIT, {"id": document_id, "revision": revision})


async def fail(connection: Connection, document_id: UUID, revision: int, code: str, detail: str) -> None:
    """Ends this version as failed; an older indexed one stays searchable."""
    await connection.execute(FAIL, {"id": document_id, "revision": revision, "code": code, "detail": detail})


async def embedding_space(connection: Connection, model: str, dimension: int) -> int:
    """The id of the model's vector space, made when it is new. Raises `SpaceError` when it is of no use."""
    row = await (await connection.execute(SPACE, {"model": model, "dimension": dimension})).fetchone()
    assert row is not None
    if row[2] != dimension:
        raise DimensionError(model, stored=row[2], made=dimension)
    if row[3] != "active":
        await check_space(connection, model, dimension)
    return int(row[0])


async def check_space(connection: Connection, model: str, dimension: int) -> None:
    """Raises `SpaceError` when the documents have vectors that this model's cannot be compared with."""
    row = await (await connection.execute(ACTIVE_SPACE)).fetchone()
    if row is None:
        return
    stored, length, used = row
    if stored == model and length != dimension:
        raise DimensionError(model, stored=length, made=dimension)
    if stored != model and used:
        raise OtherModelError(stored=stored, made=model)


async def swap(connection: Connection, work: Work, indexed: Indexed, *, space: int) -> None:
    """Puts the new version in the place of the old one, as part of the connection's transaction.

    Raises `SupersededError` or `SpaceRetiredError`; the caller's transaction must then be rolled back.
    """
    key = {"id": work.id, "revision": work.revision}
    await connection.execute(LOCK_SPACES)
    if await (await connection.execute(IS_ACTIVE, {"space": space})).fetchone() is None:
        raise SpaceRetiredError("Another embedding model was chosen while the document was being embedded.")
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute(LOCK_SWAP, {"id": work.id})
    if await (await connection.execute(IS_CURRENT, key)).fetchone() is None:
        raise SupersededError
    await connection.execute(DELETE_CHUNKS, key)
    ids = [new_id() for _ in indexed.chunks]
    async with connection.cursor() as cursor, cursor.copy(COPY_CHUNKS) as copy:
        for ordinal, (chunk_id, chunk, lexemes) in enumerate(
            zip(ids, indexed.chunks, indexed.lexemes, strict=True)
        ):
            await copy.write_row(
                (
                    chunk_id,
                    work.id,
                    work.collection_id,
                    ordinal,
                    chunk.text,
                    chunk.start,
                    chunk.end,
                    chunk.page,
                    " › ".join(chunk.heading) or None,
                    chunk.token_count,
                    lexemes,
                )
            )
    async with connection.cursor() as cursor, cursor.copy(COPY_EMBEDDINGS) as copy:
        copy.set_types(["uuid", "int4", "uuid", "halfvec"])
        for chunk_id, vector in zip(ids, indexed.vectors, strict=True):
            await copy.write_row((chunk_id, space, work.collection_id, HalfVector(vector)))
    pages = indexed.parsed.page_starts
    text = {"id": work.id, "text": indexed.parsed.text, "pages": None if pages is None else list(pages)}
    await connection.execute(PUT_TEXT, text)
    await connection.execute(DELETE_OLD_BLOBS, key)
    # Last, as it locks the row that uploads and deletions of this document wait for.
    done = {**key, "title": indexed.title, "chunk_count": len(ids)}
    if await (await connection.execute(FINISH, done)).fetchone() is None:
        raise SupersededError
