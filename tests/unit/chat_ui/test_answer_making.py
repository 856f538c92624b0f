"""From the query service's stream to events and a message."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse_chat_ui.messages.models import Json, Message
from pilothouse_chat_ui.runs.answer import (
    Answer,
    Final,
    Part,
    Sources,
    Token,
    cite_whole_passages,
    left_behind,
)
from pilothouse_chat_ui.runs.continuation import Renumbering, clean_break, merge_sources
from pilothouse_chat_ui.runs.models import Run, RunEvent
from pilothouse_chat_ui.runs.query_client import AnswerFailed, read_chunk, read_stream

ID = UUID(int=7)
RUN = Run(ID, UUID(int=1), "local", [], attempt=1, stop_requested=False, request={})


def message(content: str = "", sources: list[Json] | None = None) -> Message:
    return Message(
        id=ID,
        session_id=UUID(int=1),
        owner="local",
        role="assistant",
        content=content,
        status="running",
        collection=None,
        model=None,
        sources=sources or [],
        citations=[],
        grounding=None,
        error=None,
        feedback=None,
        created_at=datetime.now(UTC),
    )


def passage(n: int, chunk: str) -> Json:
    return {
        "n": n,
        "chunk_id": chunk,
        "document_id": "d",
        "collection": "c",
        "title": "t",
        "text": f"text of {chunk}",
        "start": 0,
        "end": 9,
        "page": 3,
        "heading": None,
        "score": 0.5,
    }


def chunk(**fields: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": None}], **fields})


def said(text: str) -> str:
    return chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])


END = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}], citations=[], grounding=None)


class Bytes(httpx2.AsyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def parts_of(pieces: list[bytes]) -> list[Part]:
    response = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        stream=Bytes(pieces),
        request=httpx2.Request("POST", "http://query"),
    )
    return [part async for part in read_stream(httpx2.EventSource(response))]


@given(
    st.lists(st.text(min_size=1, max_size=8), max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
async def test_the_stream_is_read_however_it_is_cut(
    texts: list[str], newline: str, data: st.DataObject
) -> None:
    lines = [f": ping{newline}{newline}"]
    lines += [f"data: {event}{newline}{newline}" for event in [*map(said, texts), END, "[DONE]"]]
    raw = "".join(lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    parts = await parts_of(pieces)
    assert [part.text for part in parts if isinstance(part, Token)] == [
        text.replace("\x00", "\ufffd") for text in texts
    ]
    assert isinstance(parts[-1], Final)


@pytest.mark.parametrize("events", [[], [said("a")], [said("a"), "[DONE]"]])
async def test_a_stream_without_a_last_chunk_broke_off(events: list[str]) -> None:
    with pytest.raises(AnswerFailed, match="answer_interrupted"):
        await parts_of([f"data: {event}\n\n".encode() for event in events])


def test_an_error_event_keeps_its_code_and_words() -> None:
    with pytest.raises(AnswerFailed) as failed:
        read_chunk('{"error": {"message": "The model ran out of memory.", "code": "model_error"}}')
    assert failed.value.code == "model_error"
    assert "out of memory" in failed.value.detail


@pytest.mark.parametrize(
    "data", ["", "{", "[]", "null", '"x"', '{"choices": ["x"]}', '{"sources": [{"n": 1}]}']
)
def test_what_is_no_chunk_is_not_understood(data: str) -> None:
    with pytest.raises(AnswerFailed, match="answer_not_understood"):
        read_chunk(data)


def test_an_unknown_grounding_does_not_cost_the_answer() -> None:
    (final,) = read_chunk(
        chunk(choices=[{"delta": {}, "finish_reason": "stop"}], grounding={"status": "brand_new"})
    )
    assert isinstance(final, Final)
    assert final.grounding is None


@given(st.lists(st.text(max_size=5) | st.none(), max_size=20))
def test_the_message_is_what_the_token_events_say(steps: list[str | None]) -> None:
    """None: the buffer is emptied into events at this moment."""
    answer = Answer(RUN, message())
    events = []
    for step in steps:
        if step is None:
            events += answer.take()
        else:
            answer.add(Token(step))
    answer.close()
    events += answer.take()
    assert "".join(str(data["text"]) for kind, data in events if kind == "token") == answer.text
    assert answer.text == "".join(step for step in steps if step)
    assert [kind for kind, _ in events].count("sources") == 1
    assert events[0][0] == "sources"


def test_tokens_between_two_takes_are_one_event() -> None:
    answer = Answer(RUN, message())
    answer.add(Sources([passage(1, "a")]))
    for text in ("a", "b", "c"):
        answer.add(Token(text))
    assert [kind for kind, _ in answer.take()] == ["sources", "token"]
    assert answer.take() == []


def test_numbers_without_citations_get_their_whole_passage() -> None:
    cited = cite_whole_passages("One [2]. Two [2] [9].", [passage(1, "a"), passage(2, "b")], [])
    assert [(place["n"], place["quote"], place["page"]) for place in cited] == [(2, "text of b", 3)]


def test_what_a_dead_replica_left_is_its_last_attempt() -> None:
    events = [
        RunEvent(1, "sources", {"sources": []}),
        RunEvent(2, "token", {"text": "old"}),
        RunEvent(3, "sources", {"sources": [passage(1, "a")]}),
        RunEvent(4, "token", {"text": "new "}),
        RunEvent(5, "token", {"text": "text"}),
    ]
    answer = left_behind(RUN, message(), events)
    answer.close()
    assert answer.text == "new text"
    assert answer.take() == []
    assert [source["n"] for source in answer.sources] == [1]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Press the gre", "Press the "),
        ("Press the green.", "Press the green."),
        ("See [1", "See "),
        ("See [", "See "),
        ("See [1]", "See [1]"),
        ("按下绿", "按下绿"),
        ("Press 12", "Press 12"),
        ("Word", "Word"),
        ("", ""),
    ],
)
def test_an_answer_goes_on_after_a_whole_word(text: str, kept: str) -> None:
    assert clean_break(text) == kept


def test_passages_keep_their_numbers_and_new_ones_follow() -> None:
    merged, numbers = merge_sources([passage(1, "a"), passage(4, "b")], [passage(1, "b"), passage(2, "c")])
    assert [(source["n"], source["chunk_id"]) for source in merged] == [(1, "a"), (4, "b"), (5, "c")]
    assert numbers == {1: 4, 2: 5}


@given(
    st.lists(st.sampled_from(["a", " ", "[", "]", "1", "2", "[1]", "[2]", "[3]", "日"]), max_size=30),
    st.data(),
)
def test_numbers_are_rewritten_however_the_text_is_cut(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    numbers = {1: 10, 2: 1, 3: 3}
    cut = data.draw(st.integers(0, len(text)))
    second = data.draw(st.integers(cut, len(text)))
    whole, parted = Renumbering(numbers), Renumbering(numbers)
    expected = whole.feed(text) + whole.flush()
    rewritten = "".join(map(parted.feed, (text[:cut], text[cut:second], text[second:]))) + parted.flush()
    assert rewritten == expected
    spans: Json = {"unsupported": [{"start": place, "end": len(text)} for place in range(len(text))]}
    assert parted.grounding(spans, offset=0) == whole.grounding(spans, offset=0)
    moved = whole.grounding(spans, offset=0)
    assert moved is not None
    for place, span in enumerate(moved["unsupported"]):  # type: ignore[arg-type]  # a list, see above
        assert isinstance(span, dict)
        if text[place] in "a日":
            assert expected[int(str(span["start"]))] == text[place]
        assert span["end"] == len(expected)
