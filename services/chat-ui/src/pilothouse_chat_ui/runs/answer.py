"""An answer while it is made: what came from the query service becomes events, and in the end a message.

Pure: no clock, no database. The text of the message is the concatenation of the token events
after the last `sources` event; both come from the same buffer.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from pilothouse_chat_ui.messages.models import Json, Message
from pilothouse_chat_ui.runs.continuation import Renumbering, merge_sources
from pilothouse_chat_ui.runs.models import EventType, Run, RunEvent

CITED = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that are before the model."""

    sources: list[Json]


@dataclass(frozen=True, slots=True)
class Token:
    """The next piece of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """What is known at the end."""

    citations: list[Json]
    grounding: Json | None
    model: str | None


Part: TypeAlias = Sources | Token | Final


class Answer:
    """Collects parts; hands out what has not become an event yet."""

    def __init__(self, run: Run, begins_as: Message) -> None:
        self._run = run
        self._begins_as = begins_as
        self._numbers = Renumbering({})
        self.begun = False
        self._unsent: list[tuple[EventType, Json]] = []
        self._buffer = ""
        self.text = ""
        self.sources: list[Json] = []
        self.citations: list[Json] = []
        self.grounding: Json | None = None
        self.model: str | None = None
        self.complete = False

    def add(self, part: Part) -> None:
        """Takes the next part in."""
        match part:
            case Sources():
                self._begin(part.sources)
            case Token():
                self._begin([])
                self._write(self._numbers.feed(part.text))
            case Final():
                self._begin([])
                self._write(self._numbers.flush())
                self._end(part)

    def take(self) -> list[tuple[EventType, Json]]:
        """What happened since the last call, all text in one piece."""
        taken, self._unsent = self._unsent, []
        if self._buffer:
            taken.append(("token", {"text": self._buffer}))
            self._buffer = ""
        return taken

    def close(self) -> None:
        """No part will come any more; gives every cited number its passage if none said so.

        An answer that has not begun begins here, so that the events of an earlier attempt do
        not stand for text that the message does not have.
        """
        self._begin([])
        self._write(self._numbers.flush())
        if not self.complete:
            self.citations = cite_whole_passages(self.text, self.sources, self.citations)

    def resume(self, events: list[RunEvent]) -> None:
        """Puts back what an earlier attempt stored: a `sources` event and the tokens after it."""
        self.begun = True
        for event in events:
            if event.type == "sources":
                self.sources = [source for source in _list(event.data["sources"]) if isinstance(source, dict)]
                self.text = ""
            elif event.type == "token":
                self.text += str(event.data["text"])
        self.citations = list(self._begins_as.citations)

    def _begin(self, sources: list[Json]) -> None:
        if self.begun:
            return
        self.begun = True
        self.sources, numbers = merge_sources(self._begins_as.sources, sources)
        self._numbers = Renumbering(numbers, after_space=self._begins_as.content[-1:].isspace())
        self.citations = list(self._begins_as.citations)
        data: Json = {
            "run_id": str(self._run.id),
            "attempt": self._run.attempt,
            "sources": list[JsonValue](self.sources),
        }
        self._unsent.append(("sources", data))
        self._write(self._begins_as.content)

    def _write(self, text: str) -> None:
        self.text += text
        self._buffer += text

    def _end(self, final: Final) -> None:
        self.complete = True
        self.model = final.model
        self.citations = [
            *cite_whole_passages(self._begins_as.content, self._begins_as.sources, self.citations),
            *(self._numbers.citation(citation) for citation in final.citations),
        ]
        self.grounding = self._numbers.grounding(final.grounding, offset=len(self._begins_as.content))


def left_behind(run: Run, begins_as: Message, events: list[RunEvent]) -> Answer:
    """The answer as far as an earlier attempt got, from the events that it stored."""
    answer = Answer(run, begins_as)
    if events:
        answer.resume(events)
    return answer


def cite_whole_passages(text: str, sources: list[Json], citations: list[Json]) -> list[Json]:
    """The citations, and for every other number in the text the whole passage as its quote.

    An answer that was stopped has numbers but not yet the exact sentences behind them.
    """
    known = {citation["n"] for citation in citations}
    numbered = {source["n"]: source for source in sources}
    added: list[Json] = []
    for match in CITED.finditer(text):
        number = int(match[1])
        source = numbered.get(number)
        if source is None or number in known:
            continue
        known.add(number)
        kept = ("n", "chunk_id", "document_id", "collection", "title", "start", "end", "page", "score")
        added.append({**{key: source.get(key) for key in kept}, "quote": source["text"]})
    return [*citations, *added]


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value
