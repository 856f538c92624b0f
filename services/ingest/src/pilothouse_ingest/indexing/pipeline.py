"""Parse, chunk, embed, store: what happens to one version of a document."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from pilothouse_core.database import Pool
from pilothouse_core.embedding import Embedder, EmbedderError
from pilothouse_core.lexical import document_tokens, tsvector_literal
from pilothouse_ingest.chunking.chunker import Chunk, chunk
from pilothouse_ingest.documents.blobs import BlobMissingError, BlobStore
from pilothouse_ingest.indexing import store
from pilothouse_ingest.indexing.batcher import EmbeddingBatcher
from pilothouse_ingest.jobs.queue import IndexQueue
from pilothouse_ingest.parsing.models import ParsedDocument, ParseError
from pilothouse_ingest.parsing.pool import ParserPool
from pilothouse_ingest.settings import ChunkingSettings

log = structlog.get_logger()

WINDOW = 512  # chunks of one document that wait for the embedder at once
PROGRESS_SECONDS = 1.0  # between two progress updates of a document
SPECIAL_TOKENS = 2  # that models put around a text
CONTEXT_TOKENS = 48  # most tokens of title and headings before a passage


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document cut up: passages, the texts to embed, and their lengths in tokens."""

    chunks: list[Chunk]
    contexts: list[str]
    inputs: list[str]
    lengths: list[int]


def prepare(parsed: ParsedDocument, title: str, embedder: Embedder, settings: ChunkingSettings) -> Prepared:
    """Cuts a document into passages and puts title and headings before each, for the search alone."""
    room = embedder.max_tokens - SPECIAL_TOKENS
    context_room = min(CONTEXT_TOKENS, room // 4)
    chunks = chunk(parsed, embedder, max_tokens=min(settings.tokens, room - context_room))
    unique = list(dict.fromkeys(found.heading for found in chunks))
    fitted = dict(zip(unique, _contexts(title, unique, embedder, context_room), strict=True))
    contexts = [fitted[found.heading][0] for found in chunks]
    return Prepared(
        chunks=chunks,
        contexts=contexts,
        inputs=[f"{context}\n{found.text}" for context, found in zip(contexts, chunks, strict=True)],
        lengths=[fitted[found.heading][1] + found.token_count for found in chunks],
    )


def _contexts(
    title: str, headings: Sequence[tuple[str, ...]], embedder: Embedder, room: int
) -> list[tuple[str, int]]:
    """Title and headings in one line each, cut to the room there is, with their token counts."""
    lines = []
    for path in headings:
        parts = (title, *path) if not path or path[0] != title else path
        lines.append(" › ".join(parts))
    fitted = []
    for line, count in zip(lines, embedder.count_tokens(lines), strict=True):
        kept = line
        if count > room:
            # The last headings say most about the passage.
            kept = kept[embedder.token_offsets(kept)[count - room][0] :]
        fitted.append((kept, min(count, room)))
    return fitted


def lexemes(contexts: Sequence[str], chunks: Sequence[Chunk]) -> list[str]:
    """Full-text vectors of passages together with their titles and headings."""
    return [
        tsvector_literal(document_tokens(f"{context}\n{found.text}"))
        for context, found in zip(contexts, chunks, strict=True)
    ]


class Pipeline:
    """Indexes documents; any number at the same time."""

    def __init__(
        self,
        *,
        pool: Pool,
        queue: IndexQueue,
        blobs: BlobStore,
        parsers: ParserPool,
        embedder: Embedder,
        batcher: EmbeddingBatcher,
        settings: ChunkingSettings,
    ) -> None:
        self._pool = pool
        self._queue = queue
        self._blobs = blobs
        self._parsers = parsers
        self._embedder = embedder
        self._batcher = batcher
        self._settings = settings
        self._spaces: dict[tuple[str, int], int] = {}

    async def index(self, job_id: int, document_id: UUID, revision: int) -> None:
        """Makes a version searchable or fails it for good, and completes its job in the same commit.

        Raises what another attempt may cure.
        """
        started = time.perf_counter()
        async with self._pool.connection() as connection:
            work = await store.begin(connection, document_id, revision)
        if work is None:
            log.info("document_settled_already", document_id=str(document_id), revision=revision)
            return
        begun_with = self._embedder.model, self._embedder.dimension
        try:
            indexed = await self._make(work)
        except ParseError as exc:
            await self.fail(job_id, document_id, revision, exc.code, exc.detail)
            return
        except BlobMissingError:
            # Deleted or replaced meanwhile, which leaves nothing to fail; otherwise a backup was incomplete.
            await self.fail(
                job_id,
                document_id,
                revision,
                code="bytes_missing",
                detail="The stored file is incomplete, perhaps after a restore from a backup. Delete the "
                "document and upload the file again.",
            )
            return
        space = await self._embedding_space(*begun_with)
        try:
            async with self._pool.connection() as connection:
                await store.swap(connection, work, indexed, space=space)
                await self._queue.complete(connection, job_id)
        except store.SupersededError:
            log.info("document_superseded", document_id=str(document_id), revision=revision)
            return
        except store.SpaceRetiredError:
            # The next attempt makes it the active one again, or is told why it cannot be.
            self._spaces.pop(begun_with, None)
            raise
        self._queue.manager.completed(job_id)
        log.info(
            "document_indexed",
            document_id=str(document_id),
            chunks=len(indexed.chunks),
            ms=round((time.perf_counter() - started) * 1000),
        )

    async def fail(self, job_id: int, document_id: UUID, revision: int, code: str, detail: str) -> None:
        """Marks a version failed and completes its job, in one commit."""
        async with self._pool.connection() as connection:
            await store.fail(connection, document_id, revision, code, detail)
            await self._queue.complete(connection, job_id)
        self._queue.manager.completed(job_id)
        log.info("document_failed", document_id=str(document_id), code=code)

    async def wait(self, document_id: UUID, revision: int) -> None:
        """Shows a version as queued until its next attempt."""
        async with self._pool.connection() as connection:
            await store.wait(connection, document_id, revision)

    async def _make(self, work: store.Work) -> store.Indexed:
        slices = self._blobs.read(work.id, work.revision, size=work.size_bytes)
        parsed = await self._parsers.parse(slices, size=work.size_bytes, media_type=work.media_type)
        title = (parsed.title or PurePath(work.filename).stem or work.filename)[:500]
        prepared = await asyncio.to_thread(prepare, parsed, title, self._embedder, self._settings)
        vectors: list[NDArray[np.float16]] = []
        tokens: list[str] = []
        reported = 0.0
        for start in range(0, len(prepared.chunks), WINDOW):
            if time.monotonic() - reported >= PROGRESS_SECONDS:
                await self._report(work, start / len(prepared.chunks))
                reported = time.monotonic()
            window = slice(start, start + WINDOW)
            made, found = await asyncio.gather(
                self._batcher.embed(prepared.inputs[window], prepared.lengths[window]),
                asyncio.to_thread(lexemes, prepared.contexts[window], prepared.chunks[window]),
            )
            vectors.append(made)
            tokens.extend(found)
        return store.Indexed(title, parsed, prepared.chunks, tokens, np.concatenate(vectors))

    async def _report(self, work: store.Work, progress: float) -> None:
        async with self._pool.connection() as connection:
            await store.show_progress(connection, work, progress)

    async def _embedding_space(self, model: str, dimension: int) -> int:
        """The space of the vectors that were just made. Raises `EmbedderError` if they are of two models."""
        if (model, dimension) != (self._embedder.model, self._embedder.dimension):
            raise EmbedderError("The embedding model changed while the document was being embedded.")
        if (model, dimension) not in self._spaces:
            async with self._pool.connection() as connection:
                self._spaces[model, dimension] = await store.embedding_space(connection, model, dimension)
        return self._spaces[model, dimension]
