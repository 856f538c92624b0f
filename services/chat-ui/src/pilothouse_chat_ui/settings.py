"""Settings of the chat service. Variables are `PILOTHOUSE_<GROUP>_<NAME>`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ByteSize, Field, HttpUrl, model_validator

from pilothouse_core.settings import Duration, ServerSettings, ServiceSettings

Positive = Annotated[int, Field(ge=1)]


class UpstreamSettings(BaseModel):
    """The two services behind this one."""

    query: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8082"), description="Address of the query service."
    )
    ingest: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8081"), description="Address of the ingest service."
    )
    connect_timeout: Duration = Field(
        default=timedelta(seconds=3), description="Longest wait for a connection to either service."
    )
    read_timeout: Duration = Field(
        default=timedelta(minutes=2),
        description="Longest silence of a service in the middle of an answer or transfer.",
    )
    retry: Duration = Field(
        default=timedelta(seconds=10),
        description="How long a call that did not reach the service, or lost it before the answer began, is "
        "tried again; a replica that is being replaced is gone for about a second.",
    )
    connections: Positive = Field(
        default=1000, description="Connections to each service at most; a stream holds one while it lasts."
    )


class RunSettings(BaseModel):
    """How answers are made and kept alive."""

    lease: Duration = Field(
        default=timedelta(seconds=10),
        description="After this long without a sign of life of a replica, another takes its answers over.",
    )
    heartbeat: Duration = Field(
        default=timedelta(seconds=3),
        description="How often a replica renews its leases; well below the lease.",
    )
    reap: Duration = Field(
        default=timedelta(seconds=2), description="How often a replica looks for answers to take over."
    )
    poll: Duration = Field(
        default=timedelta(seconds=2),
        description="How often streams look for news when no notification arrives.",
    )
    flush: Duration = Field(
        default=timedelta(milliseconds=40),
        description="Tokens of this long are stored and sent as one event.",
    )
    keepalive: Duration = Field(
        default=timedelta(seconds=10), description="A comment is sent after this long without an event."
    )
    timeout: Duration = Field(default=timedelta(minutes=15), description="Longest time an answer may take.")
    attempts: Positive = Field(
        default=3,
        description="How often an answer is begun, when replicas or connections die over it, before it is "
        "given up.",
    )
    active: Positive = Field(
        default=200, description="Answers that one replica makes at the same time at most."
    )
    history: Positive = Field(
        default=40, description="Messages of the conversation that are sent along with a question at most."
    )
    retention: Duration = Field(
        default=timedelta(hours=1),
        description="How long the events of a finished answer are kept for replay.",
    )
    prune: Duration = Field(
        default=timedelta(minutes=10), description="How often events past their retention are deleted."
    )

    @model_validator(mode="after")
    def _leases_are_renewed_in_time(self) -> Self:
        if self.heartbeat * 2 > self.lease:
            raise ValueError("PILOTHOUSE_RUN_HEARTBEAT must be at most half of PILOTHOUSE_RUN_LEASE")
        return self


class QuestionSettings(BaseModel):
    """Limits of what may be asked."""

    max_chars: Positive = Field(default=20_000, description="Characters of a question at most.")


class StreamSettings(BaseModel):
    """Streams that have no end of their own."""

    max_life: Duration = Field(
        default=timedelta(hours=1),
        description="An open stream of session news is ended after this long; the page opens a new one.",
    )
    window: Positive = Field(
        default=200, description="How many of a person's newest sessions are watched for changes."
    )


class UploadSettings(BaseModel):
    """What the page tells people about uploads. The ingest service has the last word."""

    max_bytes: ByteSize = Field(default=ByteSize(100 * 1024 * 1024), description="Largest file, in bytes.")


class SamplesSettings(BaseModel):
    """Documents offered to somebody who has none yet."""

    path: Path | None = Field(default=None, description="Folder with sample documents; unset: no offer.")


class PageSettings(BaseModel):
    """The built page."""

    path: Path = Field(
        default=Path(__file__).parent / "static", description="Folder that holds the built page."
    )


class Settings(ServiceSettings):
    """Everything the chat service can be told."""

    auth_modes: ClassVar[frozenset[str]] = frozenset({"local", "token", "proxy", "none"})
    auth_secrets: ClassVar[frozenset[str]] = frozenset({"key"})

    server: ServerSettings = ServerSettings(port=8080)
    upstream: UpstreamSettings = Field(default_factory=UpstreamSettings)
    run: RunSettings = Field(default_factory=RunSettings)
    question: QuestionSettings = Field(default_factory=QuestionSettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    upload: UploadSettings = Field(default_factory=UploadSettings)
    samples: SamplesSettings = Field(default_factory=SamplesSettings)
    page: PageSettings = Field(default_factory=PageSettings)
