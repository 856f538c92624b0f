"""OpenAI's Chat Completions and Models."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from pilothouse_core.failover import repeatable
from pilothouse_core.problem import Problem
from pilothouse_query.chat import wire
from pilothouse_query.chat.conversation import MODEL, read_question, unknown_model
from pilothouse_query.chat.models import AnswerEvent
from pilothouse_query.chat.relay import ClientGone, Silence, relay
from pilothouse_query.chat.schemas import OPENAI_ERRORS, ChatCompletion, ChatRequest, Model, ModelList
from pilothouse_query.dependencies import Answers, Caller, Search
from pilothouse_query.openai_errors import OpenAIRoute

log = structlog.get_logger()

router = APIRouter(prefix="/v1", tags=["chat"], route_class=OpenAIRoute, responses=OPENAI_ERRORS)

STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
# nginx's code for a request whose client went away; nobody reads it but the log.
CLIENT_CLOSED_REQUEST = 499


@router.post("/chat/completions", response_model=ChatCompletion)
@repeatable
async def chat_completions(body: ChatRequest, request: Request, caller: Caller, answers: Answers) -> Response:
    """An answer from the documents, with checked citations; OpenAI's clients work unchanged.

    A stream's first chunk carries `sources`, its last one `citations` and `grounding`.
    """
    question = read_question(body)
    try:
        prepared = await answers.prepare(question, principal=caller)
    except Problem as exc:
        if exc.code == "collection_not_found":
            raise unknown_model(body.model) from exc
        raise
    envelope = wire.Envelope(body.model)
    events = answers.answer(prepared)
    if body.stream:
        include_usage = body.stream_options is not None and body.stream_options.include_usage
        pieces = wire.chunks(events, envelope, include_usage=include_usage)
        return StreamingResponse(
            _lines(pieces, request), media_type="text/event-stream", headers=STREAM_HEADERS
        )
    try:
        completion = await wire.completion(_while_connected(events, request), envelope)
    except ClientGone:
        log.info("client_gone")
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    return JSONResponse(completion.model_dump(mode="json"))


async def _lines(pieces: AsyncIterator[str], request: Request) -> AsyncGenerator[str]:
    try:
        async with aclosing(relay(pieces, request)) as items:
            async for item in items:
                yield ": keep-alive\n\n" if isinstance(item, Silence) else item
    except ClientGone:
        log.info("client_gone")


async def _while_connected(
    events: AsyncIterator[AnswerEvent], request: Request
) -> AsyncGenerator[AnswerEvent]:
    async with aclosing(relay(events, request)) as items:
        async for item in items:
            if not isinstance(item, Silence):
                yield item


@router.get("/models")
async def models(caller: Caller, search: Search) -> ModelList:
    """`pilothouse` asks everything that the caller may read; `pilothouse/<collection>` one collection."""
    return ModelList(data=await _models(caller, search))


@router.get("/models/{model:path}")
async def model(model: str, caller: Caller, search: Search) -> Model:
    """One of the models."""
    found = next((item for item in await _models(caller, search) if item.id == model), None)
    if found is None:
        raise unknown_model(model)
    return found


async def _models(caller: Caller, search: Search) -> list[Model]:
    collections = await search.collections(principal=caller)
    first = min((created for _, created in collections), default=0)
    return [
        Model(id=MODEL, created=first),
        *(Model(id=f"{MODEL}/{name}", created=created) for name, created in collections),
    ]
