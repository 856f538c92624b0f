"""What a person sees when the query service fails."""

import asyncio
from datetime import timedelta

import pytest

from integration.chat_ui.replicas import Browser, replica, settings_for, text_of
from integration.chat_ui.scripted_query import (
    Die,
    Refuse,
    Say,
    ScriptedQuery,
    Step,
    Wait,
    plain,
    source,
    sources,
    token,
)
from support.database import Database

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


async def test_an_unreachable_query_service_is_named(database: Database) -> None:
    async with replica(settings_for(database)) as alone, alone.browser() as browser:
        session = await browser.session()
        events = await browser.answer(session, "How?")
        config = (await browser.client.get("/api/config")).json()
    assert events[-1].data["code"] == "query_unavailable"
    assert config["model"] == {"name": None, "available": False}


async def test_an_answer_without_an_end_is_ended(
    database: Database, query: ScriptedQuery, query_url: str
) -> None:
    query.scripts = [[token("So far"), Wait(asyncio.Event())]]
    settings = settings_for(database, query=query_url, timeout=timedelta(milliseconds=300))
    async with replica(settings) as one, one.browser() as browser:
        events = await browser.answer(await browser.session(), "How?")
    assert events[-1].data["code"] == "answer_timeout"
    assert events[-1].data["message"]["content"] == "So far"
    await asyncio.wait_for(query.abandoned.wait(), 10)
