"""Puts an answer's events into OpenAI's form, whole or as server-sent events."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson

from pilothouse_core.ids import new_id
from pilothouse_query.chat.models import AnswerDone, AnswerEvent, Grounding, SourcesFound, TextWritten
from pilothouse_query.chat.prompt import Source
from pilothouse_query.chat.schemas import (
    AssistantMessage,
    ChatCompletion,
    Choice,
    CitationBody,
    GroundingBody,
    SearchSummaryBody,
    SourceBody,
    Span,
    Usage,
)
from pilothouse_query.citations.checker import Cited
from pilothouse_query.openai_errors import OpenAIError
from pilothouse_query.search.schemas import TimingsBody

DONE = "data: [DONE]\n\n"


class Envelope:
    """What all chunks of one completion share."""

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{new_id().hex}"
        self.created = int(time.time())
        self.model = model

    def chunk(self, choices: list[dict[str, Any]], **extra: Any) -> str:
        """One event of the stream."""
        body = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            **extra,
        }
        return f"data: {orjson.dumps(body).decode()}\n\n"


async def completion(events: AsyncIterator[AnswerEvent], envelope: Envelope) -> ChatCompletion:
    """The whole answer. Raises `OpenAIError` like the events do."""
    sources: list[Source] = []
    done: AnswerDone | None = None
    async for event in events:
        if isinstance(event, SourcesFound):
            sources = event.sources
        elif isinstance(event, AnswerDone):
            done = event
    assert done is not None, "an answer ends with AnswerDone or raises"
    return ChatCompletion(
        id=envelope.id,
        created=envelope.created,
        model=envelope.model,
        choices=[Choice(message=AssistantMessage(content=done.text), finish_reason=done.finish_reason)],
        usage=_usage(done),
        sources=_sources(sources),
        citations=_citations(done.citations, sources),
        grounding=_grounding(done.grounding),
    )


async def chunks(
    events: AsyncIterator[AnswerEvent], envelope: Envelope, *, include_usage: bool
) -> AsyncIterator[str]:
    """The answer as OpenAI's chunks, ended by [DONE]. An error is an event of its own, never text."""
    sources: list[Source] = []
    try:
        async for event in events:
            if isinstance(event, SourcesFound):
                sources = event.sources
                yield envelope.chunk(
                    [_choice({"role": "assistant", "content": ""})],
                    sources=[body.model_dump(mode="json") for body in _sources(sources)],
                )
            elif isinstance(event, TextWritten):
                yield envelope.chunk([_choice({"content": event.text})])
            else:
                yield envelope.chunk(
                    [_choice({}, event.finish_reason)],
                    citations=[body.model_dump(mode="json") for body in _citations(event.citations, sources)],
                    grounding=_grounding(event.grounding).model_dump(mode="json"),
                )
                if include_usage:
                    yield envelope.chunk([], usage=_usage(event).model_dump())
    except OpenAIError as exc:
        yield f"data: {orjson.dumps(exc.body()).decode()}\n\n"
    yield DONE


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}


def _usage(done: AnswerDone) -> Usage:
    return Usage(
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        total_tokens=done.prompt_tokens + done.completion_tokens,
    )


def _sources(sources: Sequence[Source]) -> list[SourceBody]:
    return [
        SourceBody(
            n=source.n,
            chunk_id=source.hit.chunk_id,
            document_id=source.hit.document_id,
            collection=source.hit.collection,
            title=source.hit.title,
            text=source.text,
            start=source.start,
            end=source.end,
            page=source.hit.page,
            heading=source.hit.heading,
            score=round(source.hit.score, 6),
        )
        for source in sources
    ]


def _citations(citations: Sequence[Cited], sources: Sequence[Source]) -> list[CitationBody]:
    by_number = {source.n: source for source in sources}
    bodies = []
    for cited in citations:
        source = by_number[cited.n]
        bodies.append(
            CitationBody(
                n=cited.n,
                chunk_id=source.hit.chunk_id,
                document_id=source.hit.document_id,
                collection=source.hit.collection,
                title=source.hit.title,
                quote=source.text[cited.start : cited.end],
                start=source.start + cited.start,
                end=source.start + cited.end,
                page=source.hit.page,
                score=round(source.hit.score, 6),
            )
        )
    return bodies


def _grounding(grounding: Grounding) -> GroundingBody:
    search = grounding.search
    return GroundingBody(
        status=grounding.status.value,
        sentences=grounding.sentences,
        supported=grounding.supported,
        unsupported=[Span(start=start, end=end) for start, end in grounding.unsupported],
        model=grounding.model,
        search=SearchSummaryBody(
            query=search.query,
            mode=search.mode.value,
            collections=list(search.collections),
            timings_ms=TimingsBody.of(search.timings),
        ),
    )
