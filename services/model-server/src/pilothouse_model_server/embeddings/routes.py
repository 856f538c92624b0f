"""HTTP routes: TEI's `/embed`, `/info` and `/health`, and OpenAI's embeddings."""

import base64
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Depends, Request, Response

from pilothouse_model_server import __version__
from pilothouse_model_server.callers import known_caller
from pilothouse_model_server.connection import CLIENT_GONE, while_connected
from pilothouse_model_server.embeddings.schemas import EmbedRequest, Info, ModelType, OpenAIRequest, Pooling
from pilothouse_model_server.embeddings.service import BATCH_TOKENS, EmbeddingService
from pilothouse_model_server.settings import Settings

router = APIRouter()


def _service(request: Request) -> EmbeddingService:
    service = request.app.state.embeddings
    assert isinstance(service, EmbeddingService)
    return service


def _settings(request: Request) -> Settings:
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


Embeddings = Annotated[EmbeddingService, Depends(_service)]
Configured = Annotated[Settings, Depends(_settings)]


@router.post("/embed", response_model=None, dependencies=[Depends(known_caller)])
async def embed(body: EmbedRequest, request: Request, embeddings: Embeddings) -> Response:
    """One vector per text, as a list of lists."""
    work = embeddings.embed(
        body.inputs, truncate=bool(body.truncate), normalize=body.normalize, dimensions=body.dimensions
    )
    embedded = await while_connected(request, work)
    return Response(status_code=CLIENT_GONE) if embedded is None else _json(embedded.vectors)


@router.post("/v1/embeddings", response_model=None, dependencies=[Depends(known_caller)])
async def openai_embeddings(body: OpenAIRequest, request: Request, embeddings: Embeddings) -> Response:
    """The same in OpenAI's form."""
    work = embeddings.embed(body.input, truncate=False, dimensions=body.dimensions)
    embedded = await while_connected(request, work)
    if embedded is None:
        return Response(status_code=CLIENT_GONE)

    def written(vector: Any) -> Any:
        if body.encoding_format == "float":
            return vector
        return base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii")

    data = [
        {"object": "embedding", "index": index, "embedding": written(vector)}
        for index, vector in enumerate(embedded.vectors)
    ]
    usage = {"prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens}
    return _json({"object": "list", "data": data, "model": embeddings.model.name, "usage": usage})


@router.get("/info")
async def info(embeddings: Embeddings, settings: Configured) -> Info:
    """The model and its limits, in the form of Text Embeddings Inference."""
    model = embeddings.model
    return Info(
        model_id=model.name,
        served_model_name=model.name,
        model_type=ModelType(embedding=Pooling(pooling=model.pooling)),
        max_concurrent_requests=settings.onnx.queue,
        max_input_length=model.max_tokens,
        max_batch_tokens=BATCH_TOKENS,
        max_client_batch_size=settings.onnx.batch,
        version=__version__,
    )


@router.get("/health", response_class=Response)
async def health() -> Response:
    """200 once the model is loaded."""
    return Response(status_code=200)


def _json(body: Any) -> Response:
    # The usual encoder takes longer over a batch of vectors than the model over a short text.
    if isinstance(body, np.ndarray):
        body = np.ascontiguousarray(body)
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
