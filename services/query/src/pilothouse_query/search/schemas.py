"""The wire form of a search."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pilothouse_query.plain_text import PlainObject, PlainText
from pilothouse_query.search.models import Hit, Mode, SearchQuery, SearchResult, Timings

QUERY_CHARACTERS = 8_000

CollectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class SearchRequest(BaseModel):
    """What to look for, and where."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[
        PlainText, StringConstraints(strip_whitespace=True, min_length=1, max_length=QUERY_CHARACTERS)
    ]
    collections: Annotated[list[CollectionName], Field(max_length=100)] | None = Field(
        default=None, description="Names of collections; all that the caller may read when left out."
    )
    top_k: Annotated[int, Field(ge=1, le=100)] = Field(default=10, description="Results at most.")
    mode: Mode = Field(default=Mode.HYBRID, description="Which legs search.")
    rerank: bool | None = Field(
        default=None, description="Rerank the best candidates; default: when a reranker is set up."
    )
    filter: PlainObject | None = Field(
        default=None, description="Only documents whose metadata contain this JSON object."
    )

    def to_query(self) -> SearchQuery:
        """The search inside the service."""
        return SearchQuery(
            text=self.query,
            collections=tuple(dict.fromkeys(self.collections)) if self.collections is not None else None,
            top_k=self.top_k,
            mode=self.mode,
            rerank=self.rerank,
            filter=self.filter,
        )


class Scores(BaseModel):
    """The parts of a score; null where a leg did not score the chunk."""

    dense: float | None = Field(description="Cosine of question and chunk.")
    lexical: float | None = Field(description="BM25 of the question's words in the chunk.")
    rerank: float | None = Field(description="The reranker's score.")


class SearchHit(BaseModel):
    """One passage. `start` and `end` count code points of the document's extracted text."""

    chunk_id: UUID
    document_id: UUID
    collection: str
    title: str
    text: str
    score: float
    scores: Scores
    start: int
    end: int
    page: int | None = None
    heading: str | None = None

    @classmethod
    def of(cls, hit: Hit) -> "SearchHit":
        """The wire form of a hit."""
        return cls(
            chunk_id=hit.chunk_id,
            document_id=hit.document_id,
            collection=hit.collection,
            title=hit.title,
            text=hit.text,
            score=round(hit.score, 6),
            scores=Scores(dense=_rounded(hit.dense), lexical=_rounded(hit.lexical), rerank=hit.rerank),
            start=hit.start,
            end=hit.end,
            page=hit.page,
            heading=hit.heading,
        )


class TimingsBody(BaseModel):
    """Milliseconds of each stage, as measured; 0 for a stage that did not run."""

    embed: float
    dense: float
    lexical: float
    fuse: float
    rerank: float
    total: float

    @classmethod
    def of(cls, timings: Timings) -> "TimingsBody":
        """The wire form of timings."""
        return cls(
            embed=round(timings.embed, 2),
            dense=round(timings.dense, 2),
            lexical=round(timings.lexical, 2),
            fuse=round(timings.fuse, 2),
            rerank=round(timings.rerank, 2),
            total=round(timings.total, 2),
        )


class SearchResponse(BaseModel):
    """Results, best first, and where the time went."""

    results: list[SearchHit]
    timings_ms: TimingsBody

    @classmethod
    def of(cls, result: SearchResult) -> "SearchResponse":
        """The wire form of a search's result."""
        return cls(
            results=[SearchHit.of(hit) for hit in result.hits], timings_ms=TimingsBody.of(result.timings)
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
