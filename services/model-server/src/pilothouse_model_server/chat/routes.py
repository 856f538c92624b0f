"""HTTP routes: OpenAI's chat and model list, TGI's `/info` and `/health`."""

import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from pilothouse_model_server import __version__
from pilothouse_model_server.callers import known_caller
from pilothouse_model_server.chat.errors import ModelError
from pilothouse_model_server.chat.schemas import ChatRequest, Info, Model, ModelList
from pilothouse_model_server.chat.service import ChatService
from pilothouse_model_server.connection import CLIENT_GONE, while_connected
from pilothouse_model_server.settings import Settings

router = APIRouter()
STARTED = int(time.time())

Chunk = dict[str, Any]


def _service(request: Request) -> ChatService:
    service = request.app.state.chat
    assert isinstance(service, ChatService)
    return service


def _settings(request: Request) -> Settings:
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


Chat = Annotated[ChatService, Depends(_service)]
Configured = Annotated[Settings, Depends(_settings)]


@router.post("/v1/chat/completions", response_model=None, dependencies=[Depends(known_caller)])
async def chat_completions(body: ChatRequest, request: Request, chat: Chat) -> Response:
    """OpenAI Chat Completions, streaming or not."""
    if not body.stream:
        answer = await while_connected(request, chat.complete(body))
        return Response(status_code=CLIENT_GONE) if answer is None else JSONResponse(answer)
    chunks = chat.chunks(body)
    # The first chunk is a sign of life, so a request at fault still gets a status of its own.
    first = await while_connected(request, chunks.__anext__())
    if first is None:
        return Response(status_code=CLIENT_GONE)
    include_usage = body.stream_options is not None and body.stream_options.include_usage
    return StreamingResponse(
        _events(first, chunks, include_usage=include_usage),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@router.get("/v1/models")
async def models(chat: Chat, settings: Configured) -> ModelList:
    """The one model served here."""
    return ModelList(data=[Model(id=chat.model, created=STARTED, max_model_len=settings.llama.context)])


@router.get("/info")
async def info(chat: Chat, settings: Configured) -> Info:
    """Limits, in the form of Text Generation Inference."""
    llama = settings.llama
    return Info(
        model_id=chat.model,
        max_concurrent_requests=llama.slots + llama.queue,
        max_input_tokens=llama.context - 1,
        max_total_tokens=llama.context,
        version=__version__,
    )


@router.get("/health", response_class=Response)
async def health() -> Response:
    """200 once the model is loaded."""
    return Response(status_code=200)


async def _events(
    first: Chunk, chunks: AsyncGenerator[Chunk, None], *, include_usage: bool
) -> AsyncIterator[str]:
    """Server-sent events; an error after the first one is an event too, then the stream ends."""
    async with contextlib.aclosing(chunks):
        yield _event(first, include_usage=include_usage)
        try:
            async for chunk in chunks:
                yield _event(chunk, include_usage=include_usage)
        except ModelError as error:
            yield f"data: {json.dumps(error.body)}\n\n"
        yield "data: [DONE]\n\n"


def _event(chunk: Chunk, *, include_usage: bool) -> str:
    if not chunk["choices"] and not (include_usage and chunk["usage"]):
        # A comment keeps proxies and clients from giving up while a long prompt is read.
        return ": working\n\n"
    if not include_usage:
        chunk = {name: value for name, value in chunk.items() if name != "usage"}
    return f"data: {json.dumps(chunk, ensure_ascii=False, separators=(',', ':'))}\n\n"
