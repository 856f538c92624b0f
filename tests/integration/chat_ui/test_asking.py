"""Asking, asking differently, trying again, going on: what is there afterwards."""

import asyncio
from typing import Any

import pytest

from integration.chat_ui.conftest import Shared
from integration.chat_ui.replicas import Browser, text_of
from integration.chat_ui.scripted_query import (
    DONE,
    ScriptedQuery,
    Wait,
    citation,
    end,
    plain,
    source,
    sources,
    token,
)

# One replica for the whole module: every test here has a session of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def query(shared: Shared) -> ScriptedQuery:
    shared.query.reset()
    return shared.query


@pytest.fixture
def browser(shared: Shared, query: ScriptedQuery) -> Browser:
    return shared.browser


async def test_an_answer_is_streamed_and_stored(browser: Browser, query: ScriptedQuery) -> None:
    session = await browser.session()
    events = await browser.answer(session, "What does E-4017 mean?")

    assert events[0].type == "sources"
    assert events[-1].type == "done"
    assert [event.id for event in events] == sorted({event.id for event in events})
    message = events[-1].data["message"]
    assert text_of(events) == message["content"] == "Press the green key [1]."
    question, answer = await browser.messages(session)
    assert question["content"] == "What does E-4017 mean?"
    assert answer == message
    assert answer["status"] == "done"
    assert answer["model"] == "small-model"
    assert [cited["n"] for cited in answer["citations"]] == [1]
    assert [passage["n"] for passage in answer["sources"]] == [1, 2]
    assert query.requests[0]["messages"] == [{"role": "user", "content": "What does E-4017 mean?"}]


async def test_the_ids_are_known_before_the_first_event(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [[Wait(asyncio.Event())]]
    session = await browser.session()
    async with browser.ask(session, "Where?") as stream:
        question, answer = await browser.messages(session)
        assert stream.response.headers["x-user-message-id"] == question["id"]
        assert stream.response.headers["x-assistant-message-id"] == answer["id"]
        assert stream.response.headers["x-run-id"] == answer["run_id"]
        assert answer["status"] == "running"
        listed = (await browser.client.get(f"/api/sessions/{session}")).json()
        assert listed["active_run_id"] == answer["run_id"]


async def test_the_first_question_names_the_session(browser: Browser) -> None:
    session = await browser.session()
    await browser.answer(session, "How do I put   the feeder back\ninto service?")
    assert (await browser.client.get(f"/api/sessions/{session}")).json()["title"] == (
        "How do I put the feeder back into service?"
    )


async def test_a_given_title_stays(browser: Browser) -> None:
    session = await browser.session(title="Feeder")
    await browser.answer(session, "How?")
    assert (await browser.client.get(f"/api/sessions/{session}")).json()["title"] == "Feeder"


async def test_the_history_goes_along(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [plain("One."), plain("Two.")]
    session = await browser.session()
    await browser.answer(session, "First?")
    await browser.answer(session, "Second?")
    assert [message["content"] for message in query.requests[1]["messages"]] == ["First?", "One.", "Second?"]


@pytest.mark.parametrize(
    ("of_session", "asked", "model"),
    [
        (None, {}, "pilothouse"),
        ("handbook", {}, "pilothouse/handbook"),
        ("handbook", {"collection": None}, "pilothouse"),
        (None, {"collection": "samples"}, "pilothouse/samples"),
    ],
)
async def test_what_is_searched(
    browser: Browser, query: ScriptedQuery, of_session: str | None, asked: dict[str, str | None], model: str
) -> None:
    session = await browser.session(collection=of_session)
    await browser.answer(session, "Where?", **asked)
    assert query.requests[0]["model"] == model


async def test_an_edited_question_replaces_all_that_followed(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [plain("One."), plain("Two."), plain("New.")]
    session = await browser.session()
    await browser.answer(session, "First?")
    await browser.answer(session, "Second?")
    first = (await browser.messages(session))[0]["id"]
    await browser.answer(session, "First, but better?", replaces=first)
    assert [message["content"] for message in await browser.messages(session)] == [
        "First, but better?",
        "New.",
    ]
    assert [message["content"] for message in query.requests[2]["messages"]] == ["First, but better?"]


async def test_an_answer_is_tried_again(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [plain("Bad."), plain("Good.")]
    session = await browser.session()
    await browser.answer(session, "First?")
    question, answer = await browser.messages(session)
    async with browser.ask(session, replaces=answer["id"]) as stream:
        assert stream.response.headers["x-user-message-id"] == question["id"]
        await stream.rest()
    assert [message["content"] for message in await browser.messages(session)] == ["First?", "Good."]


async def test_a_replaced_message_cannot_be_replaced_again(browser: Browser) -> None:
    session = await browser.session()
    await browser.answer(session, "First?")
    first = (await browser.messages(session))[0]["id"]
    await browser.answer(session, "Better?", replaces=first)
    response = await browser.client.post(
        f"/api/sessions/{session}/messages", json={"content": "Best?", "replaces": first}
    )
    assert (response.status_code, response.json()["code"]) == (404, "message_not_found")


async def _stopped(browser: Browser, query: ScriptedQuery, session: str, *texts: str) -> dict[str, Any]:
    query.scripts = [[sources(source(1), source(2)), *(token(text) for text in texts), Wait(asyncio.Event())]]
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        while len(text_of(events)) < len("".join(texts)):
            events.append(await stream.next())
        await browser.client.post(f"/api/runs/{stream.response.headers['x-run-id']}/stop")
        events += await stream.rest()
    message = events[-1].data["message"]
    assert text_of(events) == message["content"]
    assert isinstance(message, dict)
    return message


async def test_a_stopped_answer_keeps_its_text_and_its_passages(
    browser: Browser, query: ScriptedQuery
) -> None:
    message = await _stopped(browser, query, await browser.session(), "Press the key [2]", " and")
    assert message["status"] == "stopped"
    assert message["content"] == "Press the key [2] and"
    (cited,) = message["citations"]
    assert cited["n"] == 2
    assert cited["quote"] == source(2)["text"]
    await asyncio.wait_for(query.abandoned.wait(), 10)


async def test_going_on_begins_with_the_old_text_and_keeps_its_numbers(
    browser: Browser, query: ScriptedQuery
) -> None:
    session = await browser.session()
    stopped = await _stopped(browser, query, session, "Press the key [2] ", "and th")
    # The same search gives other numbers now: 1 is what was 2, and 2 is new.
    known, new = source(1, chunk="chunk-2"), source(2, chunk="chunk-9")
    cited = [citation(1) | {"chunk_id": "chunk-2"}, citation(2) | {"chunk_id": "chunk-9"}]
    query.scripts = [
        [
            sources(known, new),
            token("then wait [2"),
            token("]. Odd claim [1]."),
            end(*cited, unsupported=[(15, 29)]),
            DONE,
        ]
    ]
    events = await browser.answer(session, continues=stopped["id"])
    message = events[-1].data["message"]
    text = message["content"]
    assert text == text_of(events) == "Press the key [2] and then wait [3]. Odd claim [2]."
    assert [(passage["n"], passage["chunk_id"]) for passage in message["sources"]] == [
        (1, "chunk-1"),
        (2, "chunk-2"),
        (3, "chunk-9"),
    ]
    assert {(place["n"], place["chunk_id"]) for place in message["citations"]} == {
        (2, "chunk-2"),
        (3, "chunk-9"),
    }
    (span,) = message["grounding"]["unsupported"]
    assert text[span["start"] : span["end"]] == "Odd claim [2]."
    assert query.requests[-1]["messages"] == [
        {"role": "user", "content": "How?"},
        {"role": "assistant", "content": "Press the key [2] and "},
    ]
    assert [message["content"] for message in await browser.messages(session)] == ["How?", text]


async def test_a_finished_answer_does_not_go_on(browser: Browser) -> None:
    session = await browser.session()
    await browser.answer(session, "How?")
    answer = (await browser.messages(session))[-1]["id"]
    response = await browser.client.post(f"/api/sessions/{session}/messages", json={"continues": answer})
    assert (response.status_code, response.json()["code"]) == (409, "cannot_continue")


async def test_one_answer_at_a_time(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [[Wait(asyncio.Event())]]
    session = await browser.session()
    async with browser.ask(session, "First?"):
        response = await browser.client.post(f"/api/sessions/{session}/messages", json={"content": "Second?"})
        assert (response.status_code, response.json()["code"]) == (409, "run_active")
    assert len(await browser.messages(session)) == 2


async def test_an_opinion_is_kept_and_taken_back(browser: Browser) -> None:
    session = await browser.session()
    await browser.answer(session, "How?")
    answer = (await browser.messages(session))[-1]["id"]
    for rating in ("up", "down", None):
        response = await browser.client.post(f"/api/messages/{answer}/feedback", json={"rating": rating})
        assert response.json()["feedback"] == rating
    assert (await browser.messages(session))[-1]["feedback"] is None
