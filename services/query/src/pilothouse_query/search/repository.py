"""Runs the search statements and gives typed rows."""

from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from pgvector import HalfVector
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from pilothouse_core.auth import Principal
from pilothouse_core.database import Connection
from pilothouse_core.embedding import Vectors
from pilothouse_core.lexical import tsquery_literal
from pilothouse_query.search.models import Scope, Space
from pilothouse_query.search.statements import COLLECTIONS, SCOPE, SESSION, search_statement

# Chunks each leg hands to the fusion; with 50 or 150 the first ten are no better.
CANDIDATES = 100
# The word leg ranks the chunks that hold the rarest words, until it has seen about so many;
# nDCG@10 is the same from 500 to 4000.
RANKED_CHUNKS = 500
# Never more than so many: a word that is in more chunks does not choose them alone.
SCANNED_CHUNKS = 4_000
# A word is counted up to here; above, PostgreSQL's statistics say how common it is.
COUNTED_CHUNKS = 20_000
# pgvector's own limit of vectors that an index scan visits, and ours where few of them may be shown.
SCAN_TUPLES = 20_000
MAX_SCAN_TUPLES = 500_000
MAX_TERMS = 48


@dataclass(frozen=True, slots=True)
class Legs:
    """What the legs search with; None or no words switches a leg off.

    `words` counts how often the question has each word. `dense_weight` is the vector leg's share of
    the fused score; the rest is the words'.
    """

    vector: Vectors | None
    words: dict[str, int]
    dense_weight: float
    ef_search: int
    exact_chunks: int


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the search; all but the times are None in the one row of a search without hits."""

    chunk_id: UUID | None
    document_id: UUID
    collection: str
    title: str
    text: str
    start_offset: int
    end_offset: int
    page: int | None
    heading: str | None
    fused: float
    cosine: float | None
    bm25: float | None
    coverage: float | None
    dense_ms: float
    lexical_ms: float
    fuse_ms: float


def _common(
    principal: Principal, names: tuple[str, ...] | None, metadata: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "subject": principal.subject,
        "grants": principal.grants,
        "names": list(names) if names is not None else None,
        "filter": Jsonb(metadata) if metadata is not None else None,
    }


async def read_scope(
    connection: Connection,
    *,
    principal: Principal,
    names: tuple[str, ...] | None,
    metadata: dict[str, Any] | None,
    model: str,
) -> Scope:
    """What the principal may search of what was asked for."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(SCOPE, {**_common(principal, names, metadata), "model": model})
        row = await cursor.fetchone()
    assert row is not None
    space = Space(row["space_id"], row["dimension"]) if row["space_id"] is not None else None
    return Scope(
        collections=tuple(row["collections"]),
        indexed=row["indexed"],
        chunks=int(row["chunks"]),
        stored=int(row["stored"]),
        space=space,
        active_model=row["active_model"],
    )


async def read_collections(connection: Connection, *, principal: Principal) -> list[tuple[str, int]]:
    """Names of the collections that the principal may read, and the Unix times of their making."""
    cursor = await connection.execute(COLLECTIONS, {"subject": principal.subject, "grants": principal.grants})
    return [(name, created) for name, created in await cursor.fetchall()]


async def search(
    connection: Connection,
    *,
    principal: Principal,
    names: tuple[str, ...] | None,
    metadata: dict[str, Any] | None,
    scope: Scope,
    legs: Legs,
    limit: int,
) -> list[Found]:
    """The fused hits, best first; one row without a chunk when there are none."""
    words = dict(islice(legs.words.items(), MAX_TERMS))
    parameters = {
        **_common(principal, names, metadata),
        "vector": HalfVector(legs.vector) if legs.vector is not None else None,
        "lexemes": list(words),
        "queries": [tsquery_literal([word]) for word in words],
        "repeats": [float(count) for count in words.values()],
        "chunks": max(scope.chunks, 1),
        "candidates": max(CANDIDATES, limit),
        "ranked": RANKED_CHUNKS,
        "scanned": SCANNED_CHUNKS,
        "counted": COUNTED_CHUNKS,
        "dense_weight": legs.dense_weight,
        "limit": limit,
    }
    async with connection.cursor(row_factory=class_row(Found)) as cursor:
        session = {"ef_search": max(legs.ef_search, CANDIDATES), "scan": _scan_tuples(scope)}
        await connection.execute(SESSION, session)
        await cursor.execute(
            search_statement(
                space=scope.space if legs.vector is not None else None,
                exact=scope.chunks <= legs.exact_chunks,
                words=bool(words),
                filtered=metadata is not None,
            ),
            parameters,
        )
        return await cursor.fetchall()


def _scan_tuples(scope: Scope) -> int:
    """How far the index scan may go: the fewer of all vectors are in scope, the farther."""
    wanted = 8 * CANDIDATES * scope.stored // max(scope.chunks, 1)
    return min(max(SCAN_TUPLES, wanted), MAX_SCAN_TUPLES)
