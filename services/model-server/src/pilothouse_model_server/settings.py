"""Settings of the model server."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from pilothouse_core.settings import ServerSettings, ServiceSettings
from pilothouse_model_server.cores import cores, spare_cores


class LlamaSettings(BaseModel):
    """How the model is run."""

    context: Annotated[int, Field(ge=512)] = Field(
        default=4096, description="Tokens of prompt and answer together, per request."
    )
    slots: Annotated[int, Field(ge=1, le=16)] = Field(
        default=2, description="Requests answered at the same time; each takes memory for a whole context."
    )
    queue: Annotated[int, Field(ge=0)] = Field(
        default=16, description="Requests that may wait for a slot; further ones get 429."
    )
    threads: Annotated[int, Field(ge=1)] = Field(
        default_factory=spare_cores, description="CPU threads; default: all cores but one."
    )
    max_tokens: Annotated[int, Field(ge=1)] = Field(
        default=1024, description="Longest answer when the request names no limit."
    )


class OnnxSettings(BaseModel):
    """Which embedding model is served, and how."""

    path: Path | None = Field(
        default=None,
        description="Folder of a sentence-transformers model with `model.onnx` (or `onnx/model.onnx`) in it.",
    )
    name: str = Field(
        default="", description="What the model is called on the wire; default: the folder's name."
    )
    threads: Annotated[int, Field(ge=1)] = Field(
        default_factory=cores, description="CPU threads; default: all cores."
    )
    queue: Annotated[int, Field(ge=1)] = Field(
        default=128, description="Requests that may be in work or wait; further ones get 429."
    )
    batch: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=32, description="Texts of one request at most."
    )
    characters: Annotated[int, Field(ge=1)] = Field(
        default=500_000, description="Characters of all texts of one request at most."
    )


class Settings(ServiceSettings):
    """Everything that the model server reads from the environment."""

    server: ServerSettings = ServerSettings(port=8083)
    gguf: Path | None = Field(
        default=None, description="Model file in GGUF format; default: the packaged SmolLM2-135M-Instruct."
    )
    llama: LlamaSettings = Field(default_factory=LlamaSettings)
    onnx: OnnxSettings = Field(default_factory=OnnxSettings)


class EmbeddingsSettings(Settings):
    """The same for the process that serves embeddings; both may run on one machine."""

    server: ServerSettings = ServerSettings(port=8085)
