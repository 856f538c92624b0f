"""Chats while the database fails over: nothing that was acknowledged is lost, nothing is stored twice."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from integration.chat_ui.replicas import Browser, replica, settings_for, text_of
from integration.chat_ui.scripted_query import ScriptedQuery, Wait, end, source, sources, token
from support.database import Database
from support.gate import Gate, gated


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[Gate]:
    async with gated(database) as gate:
        yield gate


@pytest.fixture
async def browser(gate: Gate, query_url: str) -> AsyncIterator[Browser]:
    async with replica(settings_for(gate.database, query=query_url)) as one, one.browser() as browser:
        yield browser


def count(database: Database, statement: str) -> int:
    with psycopg.connect(database.admin) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_question_whose_commit_is_not_confirmed_is_asked_once(
    browser: Browser, gate: Gate, database: Database
) -> None:
    session = await browser.session()
    gate.doomed = b"How do I reset E-4017"
    events = await browser.answer(session, "How do I reset E-4017?")
    assert gate.struck == 1
    assert events[-1].type == "done"
    assert [message["role"] for message in await browser.messages(session)] == ["user", "assistant"]
    assert count(database, "SELECT count(*) FROM chat.runs") == 1


async def test_a_session_whose_commit_is_not_confirmed_is_made_once(
    browser: Browser, gate: Gate, database: Database
) -> None:
    gate.doomed = b"A title of its own"
    session = await browser.session(title="A title of its own")
    assert gate.struck == 1
    assert count(database, "SELECT count(*) FROM chat.sessions") == 1
    assert (await browser.client.get(f"/api/sessions/{session}")).status_code == 200


async def test_an_answer_goes_on_through_an_outage(
    browser: Browser, gate: Gate, query: ScriptedQuery
) -> None:
    back = asyncio.Event()
    query.scripts = [[sources(source(1)), token("Press "), Wait(back), token("the key."), end()]]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        await gate.shut()
        back.set()
        refused = await browser.client.get(f"/api/sessions/{session}", timeout=30)
        await gate.open()
        events += await stream.rest()
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert refused.headers["retry-after"]
    assert events[-1].type == "done"
    assert text_of(events) == events[-1].data["message"]["content"] == "Press the key."
