"""Settings of the model server."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from pilothouse_core.settings import ServerSettings, ServiceSettings


def _spare_cores() -> int:
    """All cores but one.

    llama.cpp's threads wait for each other after every step, so one that must share its core holds up all:
    on two busy cores, two threads were measured to be 16 to 50 times slower than one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


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
        default_factory=_spare_cores, description="CPU threads; default: all cores but one."
    )
    max_tokens: Annotated[int, Field(ge=1)] = Field(
        default=1024, description="Longest answer when the request names no limit."
    )


class Settings(ServiceSettings):
    """Everything that the model server reads from the environment."""

    server: ServerSettings = Field(default_factory=lambda: ServerSettings(port=8083))
    gguf: Path | None = Field(
        default=None, description="Model file in GGUF format; default: the packaged SmolLM2-135M-Instruct."
    )
    llama: LlamaSettings = Field(default_factory=LlamaSettings)
