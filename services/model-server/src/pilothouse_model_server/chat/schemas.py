"""Requests and answers on the wire."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class ChatMessage(BaseModel):
    """One message; whatever else it carries is left to the model's chat template."""

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | list[dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """OpenAI's `stream_options`."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """OpenAI's chat request. What is not named here (`tools`, ...) goes to llama.cpp as it is."""

    model_config = ConfigDict(extra="allow")

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    model: str | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=1, description="One answer per request.")] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None


class Model(BaseModel):
    """One entry of the model list, with vLLM's `max_model_len`."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "pilothouse"
    max_model_len: int


class ModelList(BaseModel):
    """The model list."""

    object: str = "list"
    data: list[Model]


class Info(BaseModel):
    """What Text Generation Inference tells about itself at `/info`."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    model_pipeline_tag: str = "text-generation"
    max_concurrent_requests: int
    max_best_of: int = 1
    max_stop_sequences: int = 16
    max_input_tokens: int
    max_total_tokens: int
    validation_workers: int = 1
    max_client_batch_size: int = 1
    router: str = "pilothouse-model-server"
    version: str
