"""OpenAI's Chat Completions on the wire, with `sources`, `citations` and `grounding` added."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pilothouse_query.plain_text import PlainText, plain
from pilothouse_query.search.schemas import TimingsBody


class ContentPart(BaseModel):
    """A part of a message; only text is read."""

    model_config = ConfigDict(extra="ignore")

    type: str
    text: PlainText = ""


class Message(BaseModel):
    """A message of the conversation so far."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ContentPart] | None = None

    @field_validator("content")
    @classmethod
    def _readable(cls, content: str | list[ContentPart] | None) -> str | list[ContentPart] | None:
        # Not as a type of its own: in a union its name would stand in the error.
        return plain(content) if isinstance(content, str) else content

    @property
    def text(self) -> str:
        """The message's text, parts joined."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    """Options of a stream."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request of OpenAI's clients. What Pilothouse has no use for is accepted and ignored."""

    model_config = ConfigDict(extra="ignore")

    model: PlainText = Field(description="`pilothouse`, or `pilothouse/<collection>`.")
    messages: Annotated[list[Message], Field(min_length=1, max_length=1000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=1)] | None = Field(default=None, description="One answer only.")


class SourceBody(BaseModel):
    """A passage that stood in the prompt as number `n`."""

    n: int
    chunk_id: UUID
    document_id: UUID
    collection: str
    title: str
    text: str
    start: int
    end: int
    page: int | None
    heading: str | None
    score: float


class CitationBody(BaseModel):
    """What number `n` stands for: `quote` is the document's text from `start` to `end`."""

    n: int
    chunk_id: UUID
    document_id: UUID
    collection: str
    title: str
    quote: str
    start: int
    end: int
    page: int | None
    score: float


class Span(BaseModel):
    """Code points of the answer's text."""

    start: int
    end: int


class SearchSummaryBody(BaseModel):
    """What was searched, how, where, and how long it took."""

    query: str
    mode: str
    collections: list[str]
    timings_ms: TimingsBody


class GroundingBody(BaseModel):
    """How far the answer stands on the documents."""

    status: Literal["answered", "nothing_indexed", "nothing_relevant", "model_unavailable"]
    sentences: int = Field(description="Sentences that claim something.")
    supported: int = Field(description="Sentences of these that a cited passage supports.")
    unsupported: list[Span] = Field(description="The sentences that nothing supports.")
    model: str | None = Field(description="The model that wrote; null when none did.")
    search: SearchSummaryBody


class Usage(BaseModel):
    """Tokens, as the model server counted them or as guessed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class AssistantMessage(BaseModel):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(BaseModel):
    """OpenAI's wrapper of the one answer."""

    index: Literal[0] = 0
    message: AssistantMessage
    finish_reason: str
    logprobs: None = None


class ChatCompletion(BaseModel):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    sources: list[SourceBody]
    citations: list[CitationBody]
    grounding: GroundingBody


class Model(BaseModel):
    """Something to ask: all readable collections, or one."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["pilothouse"] = "pilothouse"


class ModelList(BaseModel):
    """All that the caller may ask."""

    object: Literal["list"] = "list"
    data: list[Model]


OPENAI_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": description,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {
                        "error": {
                            "type": "object",
                            "required": ["message", "type", "param", "code"],
                            "properties": {
                                "message": {"type": "string"},
                                "type": {"type": "string"},
                                "param": {"type": ["string", "null"]},
                                "code": {"type": ["string", "null"]},
                            },
                        }
                    },
                }
            }
        },
    }
    for code, description in (("4XX", "What was wrong with the request"), ("5XX", "What went wrong here"))
}
