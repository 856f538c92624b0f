"""Settings of the chat service. Variables are `PILOTHOUSE_<GROUP>_<NAME>`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ByteSize, Field, HttpUrl

from pilothouse_core.settings import ServerSettings, ServiceSettings

Positive = Annotated[int, Field(ge=1)]


class UpstreamSettings(BaseModel):
    """The two services behind this one."""

    query: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8082"), description="Address of the query service."
    )
    ingest: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:8081"), description="Address of the ingest service."
    )
    connect_timeout: timedelta = Field(
        default=timedelta(seconds=3), description="Longest wait for a connection to either service."
    )
    read_timeout: timedelta = Field(
        default=timedelta(minutes=2),
        description="Longest silence of a service in the middle of an answer or transfer.",
    )
    connections: Positive = Field(
        default=1000, description="Connections to each service at most; a stream holds one while it lasts."
    )


class RunSettings(BaseModel):
    """How answers are made and kept alive."""

    lease: timedelta = Field(
        default=timedelta(seconds=15),
        description="After this long without a sign of life of a replica, another takes its answers over.",
    )
    heartbeat: timedelta = Field(
        default=timedelta(seconds=4),
        description="How often a replica renews its leases; well below the lease.",
    )
    reap: timedelta = Field(
        default=timedelta(seconds=4), description="How often a replica looks for answers to take over."
    )
    poll: timedelta = Field(
        default=timedelta(seconds=2),
        description="How often streams look for news when no notification arrives.",
    )
    flush: timedelta = Field(
        default=timedelta(milliseconds=40),
        description="Tokens of this long are stored and sent as one event.",
    )
    keepalive: timedelta = Field(
        default=timedelta(seconds=10), description="A comment is sent after this long without an event."
    )
    timeout: timedelta = Field(default=timedelta(minutes=15), description="Longest time an answer may take.")
    attempts: Positive = Field(
        default=3, description="How many replicas may die over one answer before it is given up."
    )
    active: Positive = Field(
        default=200, description="Answers that one replica makes at the same time at most."
    )
    history: Positive = Field(
        default=40, description="Messages of the conversation that are sent along with a question at most."
    )
    retention: timedelta = Field(
        default=timedelta(hours=1),
        description="How long the events of a finished answer are kept for replay.",
    )
    prune: timedelta = Field(
        default=timedelta(minutes=10), description="How often events past their retention are deleted."
    )


class QuestionSettings(BaseModel):
    """Limits of what may be asked."""

    max_chars: Positive = Field(default=20_000, description="Characters of a question at most.")


class StreamSettings(BaseModel):
    """Streams that have no end of their own."""

    max_life: timedelta = Field(
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

    server: ServerSettings = Field(default_factory=lambda: ServerSettings(port=8080))
    upstream: UpstreamSettings = Field(default_factory=UpstreamSettings)
    run: RunSettings = Field(default_factory=RunSettings)
    question: QuestionSettings = Field(default_factory=QuestionSettings)
    stream: StreamSettings = Field(default_factory=StreamSettings)
    upload: UploadSettings = Field(default_factory=UploadSettings)
    samples: SamplesSettings = Field(default_factory=SamplesSettings)
    page: PageSettings = Field(default_factory=PageSettings)
