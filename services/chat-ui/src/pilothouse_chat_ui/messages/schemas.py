"""Messages as they go over the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pilothouse_chat_ui.messages.models import Role, Status
from pilothouse_chat_ui.sessions.schemas import CollectionName
from pilothouse_chat_ui.text import PlainText


class Source(BaseModel):
    """A passage that was put before the model as number `n`. Offsets count code points."""

    model_config = ConfigDict(extra="allow")

    n: int
    chunk_id: str
    document_id: str
    collection: str
    title: str
    text: str
    start: int
    end: int
    page: int | None = None
    heading: str | None = None
    score: float | None = None


class Citation(BaseModel):
    """The words behind a number in the answer: `quote` is the document's text from `start` to `end`."""

    model_config = ConfigDict(extra="allow")

    n: int
    chunk_id: str
    document_id: str
    collection: str
    title: str
    quote: str
    start: int
    end: int
    page: int | None = None
    score: float | None = None


class Span(BaseModel):
    """A stretch of the answer, in code points."""

    start: int
    end: int


class SearchInfo(BaseModel):
    """What was searched for the answer."""

    model_config = ConfigDict(extra="allow")

    query: str
    mode: str
    collections: list[str]
    timings_ms: dict[str, float | None] = Field(default_factory=dict)


class Grounding(BaseModel):
    """How far the answer rests on the documents."""

    model_config = ConfigDict(extra="allow")

    status: Literal["answered", "nothing_indexed", "nothing_relevant", "model_unavailable"]
    sentences: int = 0
    supported: int = 0
    unsupported: list[Span] = Field(default_factory=list)
    model: str | None = None
    search: SearchInfo | None = None


class MessageError(BaseModel):
    """Why an answer could not be made, or not to its end."""

    code: str
    title: str
    detail: str


class MessageOut(BaseModel):
    """A question or an answer."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    session_id: UUID
    role: Role
    content: str
    status: Status
    collection: str | None = Field(description="What was searched; null: all that the person may read.")
    model: str | None
    sources: list[Source]
    citations: list[Citation]
    grounding: Grounding | None
    error: MessageError | None
    feedback: Literal["up", "down"] | None
    run_id: UUID | None = Field(description="The run that makes or made this answer; null for a question.")
    created_at: datetime


class Question(BaseModel):
    """What to answer. `replaces` and `continues` name a message of the same session."""

    content: PlainText | None = None
    collection: CollectionName | None = Field(
        default=None, description="What to search; null: everything; left out: as the session says."
    )
    replaces: UUID | None = Field(
        default=None,
        description="A question: `content` replaces it and all after it. An answer: it is tried again.",
    )
    continues: UUID | None = Field(default=None, description="A stopped answer: go on where it stopped.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.replaces is not None and self.continues is not None:
            raise ValueError("replaces and continues exclude each other")
        if self.continues is not None and self.content is not None:
            raise ValueError("continues takes no content")
        return self


class Feedback(BaseModel):
    """What a person thinks of an answer; null takes it back."""

    rating: Literal["up", "down"] | None
    note: Annotated[PlainText, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None
