"""News of one's own sessions: two tabs, two devices, two replicas."""

from integration.chat_ui.replicas import Browser, Replica, Stream
from integration.chat_ui.scripted_query import ScriptedQuery, plain


async def until_told(stream: Stream, session: str, *, active: bool = False, deleted: bool = False) -> int:
    """Waits for the event that says this; returns its id."""
    while True:
        event = await stream.next()
        if event.data["id"] != session or event.data["deleted"] != deleted:
            continue
        if (event.data["active_run_id"] is not None) == active:
            return event.id


async def test_another_tab_at_another_replica_follows_along(
    browser: Browser, second: Replica, query: ScriptedQuery
) -> None:
    query.scripts = [plain("Yes.")]
    async with second.browser() as other, other.stream("GET", "/api/events") as news:
        session = await browser.session()
        await until_told(news, session)
        await browser.answer(session, "Really?")
        await until_told(news, session)
        await browser.client.patch(f"/api/sessions/{session}", json={"title": "Renamed"})
        await until_told(news, session)
        await browser.client.delete(f"/api/sessions/{session}")
        await until_told(news, session, deleted=True)


async def test_what_happened_while_the_stream_was_lost_is_told_afterwards(browser: Browser) -> None:
    async with browser.stream("GET", "/api/events") as news:
        old = await browser.session()
        seen = await until_told(news, old)
    missed = await browser.session()
    async with browser.stream("GET", "/api/events", headers={"last-event-id": str(seen)}) as news:
        event = await news.next()
    assert event.data["id"] == missed
