"""Decides how a search runs: scope, legs, fusion, reranking."""

import time
from collections import Counter
from dataclasses import asdict, replace

import structlog
from psycopg import IsolationLevel

from pilothouse_core.auth import Principal
from pilothouse_core.database import Pool
from pilothouse_core.embedding import DimensionError, Embedder, EmbedderError, OtherModelError, Vectors
from pilothouse_core.lexical import document_tokens, query_tokens
from pilothouse_core.problem import Problem
from pilothouse_core.reranking import Reranker, RerankerError
from pilothouse_query.metrics import SEARCH_SECONDS
from pilothouse_query.search import repository
from pilothouse_query.search.models import Hit, Mode, Scope, SearchQuery, SearchResult, Timings
from pilothouse_query.search.repository import Found, Legs
from pilothouse_query.settings import SearchSettings

log = structlog.get_logger()

_DENSE_WEIGHTS = {Mode.DENSE: 1.0, Mode.LEXICAL: 0.0}


class SearchService:
    """Runs searches for principals."""

    def __init__(
        self, *, pool: Pool, embedder: Embedder, reranker: Reranker | None, settings: SearchSettings
    ) -> None:
        self._pool = pool
        self._embedder = embedder
        self._reranker = reranker
        self._settings = settings

    async def search(self, query: SearchQuery, *, principal: Principal) -> SearchResult:
        """Raises `Problem`: collection_not_found, rerank_unavailable, embedding_unavailable,
        embedding_space_missing."""
        started = time.perf_counter()
        reranker = self._reranker_for(query)
        vector: Vectors | None = None
        if query.mode is not Mode.LEXICAL:
            vector = await self._embed(query.text)
        embed_ms = _since(started)
        legs = Legs(
            vector=vector,
            words=_words(query.text) if query.mode is not Mode.DENSE else {},
            dense_weight=_DENSE_WEIGHTS.get(query.mode, self._settings.dense_weight),
            ef_search=self._settings.ef_search,
            exact_chunks=self._settings.exact_chunks,
        )
        limit = query.top_k if reranker is None else max(query.top_k, self._settings.rerank_candidates)
        scope, rows = await self._read(query, principal, legs, limit)
        hits = [_hit(row, query.mode) for row in rows if row.chunk_id is not None]
        rerank_ms = 0.0
        if reranker is not None and hits:
            at = time.perf_counter()
            hits = await _reranked(reranker, query.text, hits)
            rerank_ms = _since(at)
        timings = Timings(
            embed=embed_ms if vector is not None else 0.0,
            dense=rows[0].dense_ms if rows and vector is not None else 0.0,
            lexical=rows[0].lexical_ms if rows and legs.words else 0.0,
            fuse=rows[-1].fuse_ms if rows else 0.0,
            rerank=rerank_ms,
            total=_since(started),
        )
        for stage, milliseconds in asdict(timings).items():
            SEARCH_SECONDS.labels(stage).observe(milliseconds / 1000)
        return SearchResult(hits[: query.top_k], timings, scope)

    async def collections(self, *, principal: Principal) -> list[tuple[str, int]]:
        """Names of what the principal may read, with the Unix times of their making."""
        async with self._pool.connection() as connection:
            return await repository.read_collections(connection, principal=principal)

    def _reranker_for(self, query: SearchQuery) -> Reranker | None:
        if query.rerank and self._reranker is None:
            raise Problem(
                status=422,
                code="rerank_unavailable",
                title="No reranker is set up",
                detail="Send the search without `rerank`, or set PILOTHOUSE_RERANK_URL to a reranker.",
            )
        return None if query.rerank is False else self._reranker

    async def _embed(self, text: str) -> Vectors:
        try:
            return await self._embedder.embed_query(text)
        except EmbedderError as exc:
            log.warning("embedding_failed", error=str(exc)[:500])
            raise Problem(
                status=503,
                code="embedding_unavailable",
                title="The embedding model does not answer",
                detail="Search by words alone with mode=lexical, or try again in a moment.",
                headers={"retry-after": "2"},
            ) from exc

    async def _read(
        self, query: SearchQuery, principal: Principal, legs: Legs, limit: int
    ) -> tuple[Scope, list[Found]]:
        async with self._pool.connection() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            async with connection.transaction():
                scope = await repository.read_scope(
                    connection,
                    principal=principal,
                    names=query.collections,
                    metadata=query.filter,
                    model=self._embedder.model,
                )
                _check_scope(scope, query)
                if scope.indexed and legs.vector is not None:
                    check_space(scope, self._embedder)
                if not scope.indexed or not (legs.vector is not None or legs.words):
                    return scope, []
                return scope, await repository.search(
                    connection,
                    principal=principal,
                    names=query.collections,
                    metadata=query.filter,
                    scope=scope,
                    legs=legs,
                    limit=limit,
                )


def _words(text: str) -> dict[str, int]:
    """The words to search for; a word that the question repeats counts as often."""
    counts = Counter(document_tokens(text))
    return {token: max(counts[token], 1) for token in query_tokens(text)}


def _check_scope(scope: Scope, query: SearchQuery) -> None:
    unknown = sorted(set(query.collections or ()) - set(scope.collections))
    if unknown:
        raise Problem(
            status=404,
            code="collection_not_found",
            title="No such collection",
            detail=f"There is no collection {unknown[0]!r} that you may read.",
        )


def check_space(scope: Scope, embedder: Embedder) -> None:
    """Raises a 503 `Problem` when the documents' vectors cannot be compared with this embedder's."""
    if scope.space is not None and scope.space.dimension != embedder.dimension:
        raise Problem(
            status=503,
            code="embedding_dimension_differs",
            title="The embedding model has changed under its name",
            detail=str(DimensionError(embedder.model, stored=scope.space.dimension, made=embedder.dimension)),
        )
    if scope.space is None and scope.active_model is not None:
        raise Problem(
            status=503,
            code="embedding_space_missing",
            title="The documents were embedded with another model",
            detail=str(OtherModelError(stored=scope.active_model, made=embedder.model)),
        )


def _hit(row: Found, mode: Mode) -> Hit:
    """In a search with one leg the score is that leg's own; the fused one otherwise, at most 1."""
    assert row.chunk_id is not None
    score = row.fused
    if mode is Mode.DENSE:
        score = row.cosine or 0.0
    elif mode is Mode.LEXICAL:
        score = row.bm25 or 0.0
    return Hit(
        chunk_id=row.chunk_id,
        document_id=row.document_id,
        collection=row.collection,
        title=row.title,
        text=row.text,
        start=row.start_offset,
        end=row.end_offset,
        page=row.page,
        heading=row.heading,
        score=score,
        dense=row.cosine,
        lexical=row.bm25,
        coverage=row.coverage or 0.0,
    )


async def _reranked(reranker: Reranker, text: str, hits: list[Hit]) -> list[Hit]:
    try:
        scores = await reranker.rerank(text, [hit.text for hit in hits])
    except RerankerError as exc:
        raise Problem(
            status=503,
            code="rerank_failed",
            title="The reranker does not answer",
            detail="Send the search with `rerank: false`, or try again in a moment.",
            headers={"retry-after": "2"},
        ) from exc
    scored = [replace(hit, rerank=score, score=score) for hit, score in zip(hits, scores, strict=True)]
    return sorted(scored, key=lambda hit: -hit.score)


def _since(started: float) -> float:
    """Milliseconds since a reading of `time.perf_counter`."""
    return (time.perf_counter() - started) * 1000
