"""Honest stand-ins for what the query service leans on: search results and a language model."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from pilothouse_core.auth import Principal
from pilothouse_query.model.client import ChatMessage, Delta, ModelError, Sampling
from pilothouse_query.model.limits import Limits
from pilothouse_query.search.models import Hit, Scope, SearchQuery, SearchResult, Timings

SPACE = UUID("00000000-0000-0000-0000-000000000000")


def make_hit(text: str, *, title: str = "Handbook", dense: float = 0.8, start: int = 0, n: int = 1) -> Hit:
    """A hit for a passage that begins at `start` of its document."""
    return Hit(
        chunk_id=uuid5(SPACE, f"chunk {n} {text}"),
        document_id=uuid5(SPACE, f"document {n}"),
        collection="default",
        title=title,
        text=text,
        start=start,
        end=start + len(text),
        page=None,
        heading=None,
        score=dense,
        dense=dense,
        lexical=None,
        coverage=0.0,
    )


@dataclass
class FixedSearch:
    """Finds always the same; remembers what was searched."""

    hits: list[Hit]
    indexed: bool = True
    queries: list[SearchQuery] = field(default_factory=list)

    async def search(self, query: SearchQuery, *, principal: Principal) -> SearchResult:
        self.queries.append(query)
        scope = Scope(("default",), self.indexed, len(self.hits), len(self.hits), None, None)
        return SearchResult(self.hits, Timings(total=1.0), scope)


@dataclass
class FixedModel:
    """Writes always the same pieces, then fails if told to; remembers what it was asked."""

    pieces: Sequence[str] = ()
    error: ModelError | None = None
    unreachable: ModelError | None = None
    errors: list[ModelError] = field(default_factory=list)
    context_tokens: int = 4096
    asked: list[tuple[list[ChatMessage], Sampling]] = field(default_factory=list)
    closed: bool = False

    async def limits(self) -> Limits:
        if self.unreachable:
            raise self.unreachable
        return Limits("fixed", self.context_tokens)

    async def stream(self, messages: Sequence[ChatMessage], sampling: Sampling) -> AsyncGenerator[Delta]:
        self.asked.append((list(messages), sampling))
        try:
            if self.errors:
                raise self.errors.pop(0)
            for piece in self.pieces:
                yield Delta(piece)
            if self.error:
                raise self.error
            yield Delta("", "stop", 100, len(self.pieces))
        finally:
            self.closed = True
