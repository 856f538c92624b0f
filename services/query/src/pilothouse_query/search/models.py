"""What a search is made of and what it finds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID


class Mode(StrEnum):
    """Which legs search."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A search as asked for. `collections` None means all that the caller may read."""

    text: str
    collections: tuple[str, ...] | None = None
    top_k: int = 10
    mode: Mode = Mode.HYBRID
    rerank: bool | None = None
    filter: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Space:
    """The embedding space whose vectors the query's vector can be compared with."""

    id: int
    dimension: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What the search covers: readable collections, and how much lies in them after the filter.

    `stored` is about how many vectors there are in all, of everybody.
    """

    collections: tuple[str, ...]
    indexed: bool
    chunks: int
    stored: int
    space: Space | None
    active_model: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. `dense` is the cosine, `lexical` the BM25 score, `coverage` the share
    of the query's words (weighted by rarity) that the chunk holds."""

    chunk_id: UUID
    document_id: UUID
    collection: str
    title: str
    text: str
    start: int
    end: int
    page: int | None
    heading: str | None
    score: float
    dense: float | None
    lexical: float | None
    coverage: float
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds of each stage, as measured; 0 for a stage that did not run."""

    embed: float = 0.0
    dense: float = 0.0
    lexical: float = 0.0
    fuse: float = 0.0
    rerank: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits, best first."""

    hits: list[Hit]
    timings: Timings
    scope: Scope
