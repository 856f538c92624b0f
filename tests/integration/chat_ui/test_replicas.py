"""Any replica can serve, stop or resume any answer; none is lost with its replica."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from integration.chat_ui.replicas import Browser, Replica, replica, settings_for, text_of, until
from integration.chat_ui.scripted_query import (
    DONE,
    ScriptedQuery,
    Step,
    Wait,
    citation,
    end,
    plain,
    source,
    token,
)
from integration.chat_ui.scripted_query import sources as found
from support.database import Database


@pytest.fixture
async def other_browser(second: Replica) -> AsyncIterator[Browser]:
    """A browser at the second replica."""
    async with second.browser() as browser:
        yield browser


@pytest.fixture
async def admin(database: Database) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """The database's superuser."""
    async with await psycopg.AsyncConnection.connect(database.admin, autocommit=True) as connection:
        yield connection


def halting(gate: asyncio.Event, before: str = "Press ", after: str = "the key [1].") -> list[Step]:
    """An answer that stops in the middle until the gate is opened."""
    return [found(source(1)), token(before), Wait(gate), token(after), end(citation(1)), DONE]


async def expire_leases(admin: "psycopg.AsyncConnection[Any]") -> None:
    """The holder's name too: a renewal that is on its way must not bring the lease back."""
    await admin.execute(
        "UPDATE chat.runs SET lease_holder = 'dead', lease_until = now() - interval '1 second'"
    )


async def test_another_replica_follows_from_the_middle(
    browser: Browser, other_browser: Browser, query: ScriptedQuery
) -> None:
    gate = asyncio.Event()
    query.scripts = [halting(gate)]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        before = await stream.until("token")
        run = stream.response.headers["x-run-id"]
        async with other_browser.stream(
            "GET", f"/api/runs/{run}/events", headers={"last-event-id": str(before[-1].id)}
        ) as resumed:
            gate.set()
            after = await resumed.rest()
        whole = before + await stream.rest()
    assert text_of(before + after) == text_of(whole) == "Press the key [1]."
    assert before[-1].id < after[0].id
    assert after[-1] == whole[-1]


async def test_a_reload_at_any_event_gives_exactly_the_same_text(
    browser: Browser, query: ScriptedQuery
) -> None:
    query.scripts = [plain(*(f"word{n} " for n in range(30)), "end [1].")]
    session = await browser.session()
    whole = await browser.answer(session, "How?")
    run = whole[-1].data["message"]["run_id"]
    for seen in range(len(whole) + 1):
        last = whole[seen - 1].id if seen else 0
        async with browser.stream("GET", f"/api/runs/{run}/events", params={"after": last}) as resumed:
            events = whole[:seen] + await resumed.rest()
        assert text_of(events) == whole[-1].data["message"]["content"]
        assert events[-1].type == "done"


async def test_the_answer_goes_on_when_nobody_listens(browser: Browser, query: ScriptedQuery) -> None:
    gate = asyncio.Event()
    query.scripts = [halting(gate)]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        await stream.until("token")
    gate.set()

    async def finished() -> bool:
        return bool((await browser.messages(session))[-1]["status"] == "done")

    await until(finished)
    assert (await browser.messages(session))[-1]["content"] == "Press the key [1]."


async def test_another_replica_stops_an_answer(
    browser: Browser, other_browser: Browser, query: ScriptedQuery
) -> None:
    query.scripts = [halting(asyncio.Event())]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        stop = await other_browser.client.post(f"/api/runs/{stream.response.headers['x-run-id']}/stop")
        assert stop.status_code == 202
        events += await stream.rest()
    assert events[-1].type == "done"
    assert events[-1].data["message"]["status"] == "stopped"
    assert text_of(events) == events[-1].data["message"]["content"] == "Press "
    await asyncio.wait_for(query.abandoned.wait(), 10)


async def test_an_answer_is_stopped_before_its_first_word(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [[Wait(asyncio.Event())]]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        await asyncio.wait_for(query.arrived.wait(), 10)
        await browser.client.post(f"/api/runs/{stream.response.headers['x-run-id']}/stop")
        events = await stream.rest()
    assert events[-1].data["message"]["status"] == "stopped"


async def test_a_killed_replicas_answer_is_begun_anew_elsewhere(
    first: Replica,
    browser: Browser,
    other_browser: Browser,
    query: ScriptedQuery,
    admin: "psycopg.AsyncConnection[Any]",
) -> None:
    query.scripts = [halting(asyncio.Event(), before="Lost words "), plain("Press ", "the key [1].")]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        first.kill_workers()
        await expire_leases(admin)
        events += await stream.rest()
    assert [event.data["attempt"] for event in events if event.type == "sources"] == [1, 2]
    message = events[-1].data["message"]
    assert message["status"] == "done"
    assert text_of(events) == message["content"] == "Press the key [1]."
    assert (await other_browser.messages(session))[-1] == message


async def test_what_a_replica_writes_after_losing_its_lease_is_refused(
    first: Replica,
    browser: Browser,
    second: Replica,
    query: ScriptedQuery,
    admin: "psycopg.AsyncConnection[Any]",
) -> None:
    frozen = asyncio.Event()
    query.scripts = [halting(frozen, before="Old ", after="ghost"), halting(asyncio.Event(), before="New ")]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        # Still working, but it neither renews nor takes over: a process that was paused.
        first.executor._stopped = True
        await expire_leases(admin)
        events += await stream.until("sources")
        events += await stream.until("token")
        frozen.set()
        await until(lambda: not first.executor._tasks)
        await browser.client.post(f"/api/runs/{stream.response.headers['x-run-id']}/stop")
        events += await stream.rest()
    assert text_of(events) == events[-1].data["message"]["content"] == "New "
    assert second.executor.lease != first.executor.lease


async def test_an_answer_that_kills_every_replica_is_given_up(
    first: Replica,
    browser: Browser,
    second: Replica,
    query: ScriptedQuery,
    admin: "psycopg.AsyncConnection[Any]",
) -> None:
    query.scripts = [halting(asyncio.Event(), before="So far [1]")]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        first.kill_workers()
        await admin.execute("UPDATE chat.runs SET attempt = 3")
        await expire_leases(admin)
        events += await stream.rest()
    assert events[-1].type == "error"
    assert events[-1].data["code"] == "run_interrupted"
    message = events[-1].data["message"]
    assert message["status"] == "error"
    assert text_of(events) == message["content"] == "So far [1]"
    assert [cited["n"] for cited in message["citations"]] == [1]
    assert second.executor.lease.holder


async def test_a_stop_reaches_an_answer_whose_replica_is_dead(
    first: Replica,
    browser: Browser,
    second: Replica,
    query: ScriptedQuery,
    admin: "psycopg.AsyncConnection[Any]",
) -> None:
    query.scripts = [halting(asyncio.Event(), before="So far")]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        first.kill_workers()
        async with second.browser() as other:
            await other.client.post(f"/api/runs/{stream.response.headers['x-run-id']}/stop")
        await expire_leases(admin)
        events += await stream.rest()
    message = events[-1].data["message"]
    assert (message["status"], message["content"]) == ("stopped", "So far")
    assert len(query.requests) == 1


async def test_a_replica_that_stops_hands_its_answers_over(
    database: Database, query: ScriptedQuery, query_url: str, second: Replica
) -> None:
    query.scripts = [halting(asyncio.Event(), before="Lost "), plain("Press the key [1].")]
    async with replica(settings_for(database, query=query_url)) as leaving, leaving.browser() as browser:
        session = await browser.session()
        async with browser.ask(session, "How?") as stream:
            seen = await stream.until("token")
            run = stream.response.headers["x-run-id"]
            leaving.app.state.stopping.set()
            # The stream ends without an end: the browser connects again, to whoever is there.
            seen += await stream.rest()
            assert seen[-1].type not in ("done", "error")
    async with (
        second.browser() as other,
        other.stream("GET", f"/api/runs/{run}/events", params={"after": seen[-1].id}) as resumed,
    ):
        events = await resumed.rest()
    assert text_of(seen + events) == events[-1].data["message"]["content"] == "Press the key [1]."


async def test_a_replica_alone_goes_on_with_its_answers_after_a_restart(
    database: Database, query: ScriptedQuery, query_url: str
) -> None:
    settings = settings_for(database, query=query_url)
    query.scripts = [halting(asyncio.Event(), before="Lost "), plain("Press the key [1].")]
    async with replica(settings) as before, before.browser() as browser:
        session = await browser.session()
        async with browser.ask(session, "How?") as stream:
            await stream.until("token")
            run = stream.response.headers["x-run-id"]
    async with (
        replica(settings) as after,
        after.browser() as browser,
        browser.stream("GET", f"/api/runs/{run}/events") as resumed,
    ):
        events = await resumed.rest()
    assert text_of(events) == events[-1].data["message"]["content"] == "Press the key [1]."


async def test_lost_connections_to_the_database_cost_no_word(
    browser: Browser, query: ScriptedQuery, admin: "psycopg.AsyncConnection[Any]"
) -> None:
    gate = asyncio.Event()
    query.scripts = [halting(gate)]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        events = await stream.until("token")
        # Also the one that listens for notifications.
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE 'pilothouse-chat-ui%' AND datname = current_database()"
        )
        gate.set()
        events += await stream.rest()
    assert text_of(events) == events[-1].data["message"]["content"] == "Press the key [1]."


async def test_a_deleted_session_ends_its_answer(browser: Browser, query: ScriptedQuery) -> None:
    query.scripts = [halting(asyncio.Event())]
    session = await browser.session()
    async with browser.ask(session, "How?") as stream:
        await stream.until("token")
        assert (await browser.client.delete(f"/api/sessions/{session}")).status_code == 204
        assert [event.type for event in await stream.rest()] == []
        run = stream.response.headers["x-run-id"]
    await asyncio.wait_for(query.abandoned.wait(), 10)
    assert (await browser.client.get(f"/api/runs/{run}/events")).json()["code"] == "run_not_found"


async def test_a_finished_answer_is_told_after_its_events_are_gone(
    database: Database, query_url: str, admin: "psycopg.AsyncConnection[Any]"
) -> None:
    settings = settings_for(
        database, query=query_url, retention=timedelta(0), prune=timedelta(milliseconds=20)
    )

    async def pruned() -> bool:
        row = await (await admin.execute("SELECT count(*) FROM chat.run_events")).fetchone()
        return row is not None and row[0] == 0

    async with replica(settings) as only, only.browser() as browser:
        session = await browser.session()
        message = (await browser.answer(session, "How?"))[-1].data["message"]
        await until(pruned)
        async with browser.stream("GET", f"/api/runs/{message['run_id']}/events?after=2") as resumed:
            events = await resumed.rest()
    assert [event.type for event in events] == ["sources", "token", "done"]
    assert text_of(events) == message["content"]
    assert events[0].id > 2


async def test_a_full_replica_says_so(database: Database, query: ScriptedQuery, query_url: str) -> None:
    query.scripts = [[Wait(asyncio.Event())]]
    async with replica(settings_for(database, query=query_url, active=1)) as only, only.browser() as browser:
        session, other = await browser.session(), await browser.session()
        async with browser.ask(session, "First?"):
            response = await browser.client.post(
                f"/api/sessions/{other}/messages", json={"content": "Second?"}
            )
    assert (response.status_code, response.json()["code"]) == (503, "busy")
