"""Puts chunks straight into a database, as ingest would have stored them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.types.json import Jsonb

from pilothouse_core.embedding import Embedder
from pilothouse_core.ids import new_id
from pilothouse_core.lexical import document_tokens, tsvector_literal


@dataclass(frozen=True)
class Document:
    """A document of one or more chunks; its text is the chunks, one blank line between them."""

    title: str
    chunks: Sequence[str]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n\n".join(self.chunks)


async def add_collection(
    url: str,
    name: str,
    documents: Sequence[Document],
    embedder: Embedder,
    *,
    readers: Sequence[str] = ("everyone",),
    owner: str = "somebody",
) -> list[UUID]:
    """Stores a collection as the ingest role would; gives the documents' ids in order."""
    texts = [chunk for document in documents for chunk in document.chunks]
    vectors = iter(await embedder.embed_documents(texts))
    ids = []
    with psycopg.connect(url, options="-c search_path=documents,public") as connection:
        register_vector(connection)
        space = connection.execute(
            "SELECT id FROM ensure_embedding_space(%s, %s)", (embedder.model, embedder.dimension)
        ).fetchone()
        assert space is not None
        collection = new_id()
        connection.execute(
            "INSERT INTO collections (id, name, owner, readers) VALUES (%s, %s, %s, %s)",
            (collection, name, owner, list(readers)),
        )
        for document in documents:
            ids.append(_add(connection, collection, document, space[0], vectors))
    return ids


def _add(
    connection: psycopg.Connection, collection: UUID, document: Document, space: int, vectors: Any
) -> UUID:
    document_id = new_id()
    digest = hashlib.sha256(f"{document_id}{document.text}".encode()).hexdigest()
    connection.execute(
        "INSERT INTO documents (id, collection_id, owner, title, filename, media_type, size_bytes, sha256,"
        " indexed_revision, status, progress, chunk_count, metadata)"
        " VALUES (%s, %s, 'somebody', %s, %s, 'text/plain', %s, %s, 1, 'indexed', 1, %s, %s)",
        (
            document_id,
            collection,
            document.title,
            document.title,
            len(document.text.encode()),
            digest,
            len(document.chunks),
            Jsonb(dict(document.metadata)),
        ),
    )
    connection.execute(
        "INSERT INTO document_texts (document_id, text) VALUES (%s, %s)", (document_id, document.text)
    )
    start = 0
    for ordinal, chunk in enumerate(document.chunks):
        chunk_id, tokens = new_id(), document_tokens(chunk)
        connection.execute(
            "INSERT INTO chunks (id, document_id, collection_id, ordinal, text, start_offset, end_offset,"
            " token_count, tokens) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::tsvector)",
            (
                chunk_id,
                document_id,
                collection,
                ordinal,
                chunk,
                start,
                start + len(chunk),
                max(len(tokens), 1),
                tsvector_literal(tokens),
            ),
        )
        connection.execute(
            "INSERT INTO chunk_embeddings (chunk_id, space_id, collection_id, embedding)"
            " VALUES (%s, %s, %s, %s)",
            (chunk_id, space, collection, HalfVector(next(vectors))),
        )
        start += len(chunk) + 2
    return document_id
