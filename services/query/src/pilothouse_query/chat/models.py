"""What an answer is made of, inside the service."""

from dataclasses import dataclass
from enum import StrEnum

from pilothouse_query.chat.prompt import Source, Turn
from pilothouse_query.citations.checker import Cited
from pilothouse_query.search.models import Mode, Timings


class Status(StrEnum):
    """How an answer came about."""

    ANSWERED = "answered"
    NOTHING_INDEXED = "nothing_indexed"
    NOTHING_RELEVANT = "nothing_relevant"
    MODEL_UNAVAILABLE = "model_unavailable"


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the caller wants the answer written; None leaves it to the settings."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `retrieval` is the text to search for; `continued` the answer to go on with.

    `alone`: the retrieval holds earlier questions, and the text may well have nothing to do with them.
    """

    text: str
    retrieval: str
    history: tuple[Turn, ...]
    collections: tuple[str, ...] | None
    instructions: str
    wishes: Wishes
    continued: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """What was searched for the answer, for "why this answer"."""

    query: str
    mode: Mode
    collections: tuple[str, ...]
    timings: Timings


@dataclass(frozen=True, slots=True)
class Grounding:
    """How far the answer stands on the documents. Spans are code points of the answer."""

    status: Status
    sentences: int
    supported: int
    unsupported: tuple[tuple[int, int], ...]
    model: str | None
    search: SearchSummary


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """First event: what the answer may cite."""

    sources: list[Source]


@dataclass(frozen=True, slots=True)
class TextWritten:
    """A piece of the answer, checked."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerDone:
    """Last event."""

    text: str
    citations: tuple[Cited, ...]
    grounding: Grounding
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


AnswerEvent = SourcesFound | TextWritten | AnswerDone
