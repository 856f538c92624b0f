"""What a person sees when the query service fails."""

import pytest

from integration.chat_ui.conftest import Shared
from integration.chat_ui.replicas import Browser, Event, text_of
from integration.chat_ui.scripted_query import (
    Die,
    Refuse,
    Say,
    ScriptedQuery,
    Step,
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


BROKEN: list[tuple[str, list[Step], str]] = [
    (
        "collection_not_found",
        [Refuse(404, {"error": {"message": "No such model", "code": "model_not_found"}})],
        "",
    ),
    (
        "context_length_exceeded",
        [Refuse(400, {"error": {"message": "The question is too long.", "code": "context_length_exceeded"}})],
        "",
    ),
    ("query_error", [Refuse(502, {"oops": True})], ""),
    ("answer_interrupted", [Die()], ""),
    ("answer_interrupted", [sources(source(1)), token("So far [1]"), Die()], "So far [1]"),
    ("answer_interrupted", [sources(source(1)), token("So far [1]")], "So far [1]"),
    (
        "model_error",
        [sources(source(1)), token("So far"), Say({"error": {"message": "Out of memory", "code": None}})],
        "So far",
    ),
    ("answer_not_understood", [token("So far"), Say("{")], "So far"),
]


@pytest.mark.parametrize(("code", "script", "text"), BROKEN)
async def test_a_failure_is_told_and_the_text_so_far_is_kept(
    browser: Browser, query: ScriptedQuery, code: str, script: list[Step], text: str
) -> None:
    query.scripts = [script]
    session = await browser.session(collection="handbook")
    events = await browser.answer(session, "How?")
    assert events[-1].type == "error"
    assert events[-1].data["code"] == code
    assert len(events[-1].data["detail"]) > 10
    message = events[-1].data["message"]
    assert message["status"] == "error"
    assert message["error"] == {key: events[-1].data[key] for key in ("code", "title", "detail")}
    assert message["content"] == text_of(events) == text
    assert (await browser.messages(session))[-1] == message


async def test_after_a_failure_the_question_can_be_tried_again(
    browser: Browser, query: ScriptedQuery
) -> None:
    query.scripts = [[Die()], plain("Good.")]
    session = await browser.session()
    failed = (await browser.answer(session, "How?"))[-1].data["message"]
    events = await browser.answer(session, replaces=failed["id"])
    assert events[-1].data["message"]["content"] == "Good."


def attempts(events: list[Event]) -> list[int]:
    return [event.data["attempt"] for event in events if event.type == "sources"]


async def test_an_answer_whose_connection_breaks_is_made_anew(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [[sources(source(1)), token("Lost words "), Die()], plain("Press ", "the key [1].")]
    events = await browser.answer(await browser.session(), "How?")
    assert attempts(events) == [1, 2]
    message = events[-1].data["message"]
    assert (events[-1].type, message["status"]) == ("done", "done")
    assert message["content"] == text_of(events) == "Press the key [1]."


async def test_what_had_arrived_is_kept_when_there_is_nobody_to_make_it_anew(
    browser: Browser, query: ScriptedQuery
) -> None:
    query.scripts = [[sources(source(1)), token("So far [1]"), Die()], [Refuse(503, {})]]
    events = await browser.answer(await browser.session(), "How?")
    assert events[-1].data["code"] == "answer_interrupted"
    assert events[-1].data["message"]["content"] == text_of(events) == "So far [1]"


async def test_an_answer_that_breaks_off_each_time_is_given_up(
    browser: Browser, query: ScriptedQuery
) -> None:
    query.scripts = [[sources(source(1)), token("So far"), Die()]]
    events = await browser.answer(await browser.session(), "How?")
    assert attempts(events) == [1, 2, 3]
    assert events[-1].data["code"] == "answer_interrupted"
