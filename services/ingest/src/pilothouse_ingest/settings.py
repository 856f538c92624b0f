"""Settings of the ingest service; the API and the worker read the same ones."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, ByteSize, Field

from pilothouse_core.settings import Duration, EmbeddingSettings, Port, ServerSettings, ServiceSettings

# Schemas of the documents and of the job queue; procrastinate's functions look up their tables by it.
SEARCH_PATH = "documents, jobs, public"


class UploadSettings(BaseModel):
    """What may be uploaded."""

    max_bytes: ByteSize = Field(
        default=ByteSize(100 * 2**20), description="Largest file that is accepted, such as `100MiB`."
    )


class ParsingSettings(BaseModel):
    """The parser processes and what one file may cost."""

    processes: Annotated[int, Field(ge=1)] = Field(default=2, description="Files parsed at the same time.")
    memory: ByteSize = Field(
        default=ByteSize(2**30), description="Memory (address space) of one parser process, such as `1GiB`."
    )
    cpu_time: Duration = Field(default=timedelta(seconds=60), description="Processor time for one file.")
    wall_time: Duration = Field(default=timedelta(seconds=180), description="Time for one file by the clock.")
    recycle_after: Annotated[int, Field(ge=1)] = Field(
        default=200, description="Files after which a parser process is replaced by a new one."
    )
    max_characters: Annotated[int, Field(ge=1)] = Field(
        default=20_000_000, description="Longest extracted text of one document, in characters."
    )


class ChunkingSettings(BaseModel):
    """How documents are cut into passages."""

    tokens: Annotated[int, Field(ge=16)] = Field(
        default=200,
        description="Most tokens of one passage; less where the embedding model reads less.",
    )


class WorkerSettings(BaseModel):
    """How the worker takes and repeats jobs."""

    concurrency: Annotated[int, Field(ge=1)] = Field(
        default=16, description="Documents worked on at once; they share the embedding batches."
    )
    heartbeat: Duration = Field(
        default=timedelta(seconds=5), description="How often a worker says that it is alive."
    )
    stalled_after: Duration = Field(
        default=timedelta(seconds=20),
        description="Silence after which a worker counts as dead and others take its jobs.",
    )
    sweep: Duration = Field(
        default=timedelta(seconds=10), description="How often jobs of dead workers are looked for."
    )
    max_attempts: Annotated[int, Field(ge=1)] = Field(
        default=6,
        description="Attempts at one document before it counts as failed; while the embedding server is "
        "away, it waits instead.",
    )
    retry_after: Duration = Field(
        default=timedelta(seconds=2),
        description="Wait before the second attempt; four times as long each time.",
    )
    retry_most: Duration = Field(default=timedelta(minutes=5), description="Longest wait between attempts.")
    port: Port | None = Field(
        default=None,
        description="TCP port on which the worker answers /livez, /readyz and /metrics; unset: none.",
    )


class IngestSettings(ServiceSettings):
    """All settings of the ingest API and worker."""

    auth_secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    server: ServerSettings = ServerSettings(port=8081)
    upload: UploadSettings = Field(default_factory=UploadSettings)
    parsing: ParsingSettings = Field(default_factory=ParsingSettings)
    chunking: ChunkingSettings = Field(default_factory=ChunkingSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    embedding: EmbeddingSettings = Field(default_factory=EmbeddingSettings)


class WorkerProcessSettings(IngestSettings):
    """The same for the worker's process: nobody calls it, so it holds no key."""

    auth_secrets: ClassVar[frozenset[str]] = frozenset()
