"""What a person sees when the query service is away or never comes to an end."""

import asyncio
from datetime import timedelta

from integration.chat_ui.replicas import replica, settings_for
from integration.chat_ui.scripted_query import Die, Refuse, ScriptedQuery, Wait, plain, token
from support.database import Database


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
    settings = settings_for(database, query=query_url, timeout=timedelta(seconds=1.5))
    async with replica(settings) as one, one.browser() as browser:
        events = await browser.answer(await browser.session(), "How?")
    assert events[-1].data["code"] == "answer_timeout"
    assert events[-1].data["message"]["content"] == "So far"
    await asyncio.wait_for(query.abandoned.wait(), 10)


async def test_a_connection_that_breaks_before_the_answer_begins_is_not_noticed(
    database: Database, query: ScriptedQuery, query_url: str
) -> None:
    away = Refuse(503, {"error": {"message": "The database is away.", "code": "database_unavailable"}})
    query.scripts = [[Die()], [away], plain("Good.")]
    async with (
        replica(settings_for(database, query=query_url, retry=30)) as one,
        one.browser() as browser,
    ):
        events = await browser.answer(await browser.session(), "How?")
    assert [event.data["attempt"] for event in events if event.type == "sources"] == [1]
    assert events[-1].data["message"]["content"] == "Good."
    assert len(query.requests) == 3
