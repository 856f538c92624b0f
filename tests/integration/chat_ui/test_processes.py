"""Real processes and real signals: `kill -9`, and the polite way."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx2
import pytest

from integration.chat_ui.replicas import WAIT_SECONDS, Browser, text_of, until
from integration.chat_ui.scripted_query import ScriptedQuery, Wait, plain, source, sources, token
from support.database import Database
from support.stack import free_port


@asynccontextmanager
async def process(
    database: Database, query_url: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Browser]]:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")} | {
        "PILOTHOUSE_SERVER_PORT": str(port),
        "PILOTHOUSE_DATABASE_URL": database.url("pilothouse_chat"),
        "PILOTHOUSE_UPSTREAM_QUERY": query_url,
        "PILOTHOUSE_RUN_LEASE": "2",
        "PILOTHOUSE_RUN_HEARTBEAT": "0.5",
        "PILOTHOUSE_RUN_REAP": "0.2",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pilothouse_chat_ui", env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=WAIT_SECONDS, trust_env=False
        ) as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/readyz")).status_code == 200
                except httpx2.TransportError:
                    return False

            await until(ready)
            yield child, Browser(client)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_an_answer_outlives_its_process(
    database: Database, query: ScriptedQuery, query_url: str, how: signal.Signals
) -> None:
    query.scripts = [
        [sources(source(1)), token("Lost "), Wait(asyncio.Event())],
        plain("Press ", "the key [1]."),
    ]
    async with AsyncExitStack() as stack:
        (first, browser), (_, other) = await asyncio.gather(
            stack.enter_async_context(process(database, query_url)),
            stack.enter_async_context(process(database, query_url)),
        )
        session = await browser.session()
        async with browser.ask(session, "How?") as stream:
            seen = await stream.until("token")
            run = stream.response.headers["x-run-id"]
            first.send_signal(how)
            # A killed process cuts the stream, one that is asked to stop ends it; neither says `done`.
            with suppress(httpx2.TransportError):
                seen += await stream.rest()
        assert seen[-1].type == "token"
        async with other.stream("GET", f"/api/runs/{run}/events", params={"after": seen[-1].id}) as resumed:
            events = await resumed.rest()
        assert text_of(seen + events) == events[-1].data["message"]["content"] == "Press the key [1]."
        if how == signal.SIGTERM:
            async with asyncio.timeout(WAIT_SECONDS):
                assert await first.wait() in (0, -signal.SIGTERM)
