"""Replicas of the chat service on real sockets, and a browser's view of them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import uvicorn
from fastapi import FastAPI
from pydantic import HttpUrl, SecretStr
from starlette.types import ASGIApp

from pilothouse_chat_ui.app import create_app
from pilothouse_chat_ui.runs.executor import Executor
from pilothouse_chat_ui.settings import (
    PageSettings,
    RunSettings,
    SamplesSettings,
    Settings,
    StreamSettings,
    UpstreamSettings,
)
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.settings import DatabaseSettings
from support.database import Database

Json: TypeAlias = dict[str, Any]
KEY = SecretStr("a key for tests that is long enough")
WAIT_SECONDS = 30.0
# How long a database may be away before people are told.
OUTAGE = timedelta(seconds=5)


class _Server(uvicorn.Server):
    """Leaves the test run's signal handlers alone, and stops at once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def main_loop(self) -> None:
        await self.stop.wait()


@asynccontextmanager
async def serving(app: ASGIApp, *, lifespan: bool = True) -> AsyncIterator[str]:
    """The app on a port of its own, in this event loop; yields its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="on" if lifespan else "off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started or task.done())
        if task.done():
            task.result()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        if isinstance(app, FastAPI) and lifespan:
            app.state.stopping.set()
        server.stop.set()
        await task


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits for a condition; the time limit only keeps a broken test from hanging."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            result = condition()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    type: str
    data: Json


@dataclass(frozen=True, slots=True)
class Stream:
    """A server-sent event stream as a browser reads it."""

    response: httpx2.Response
    events: AsyncIterator[Event]

    async def next(self) -> Event:
        async with asyncio.timeout(WAIT_SECONDS):
            return await anext(self.events)

    async def until(self, *types: str) -> list[Event]:
        """All events up to and including the first of one of these types."""
        seen = [await self.next()]
        while seen[-1].type not in types:
            seen.append(await self.next())
        return seen

    async def rest(self) -> list[Event]:
        """All events until the stream ends."""
        async with asyncio.timeout(WAIT_SECONDS):
            return [event async for event in self.events]


@dataclass(frozen=True, slots=True)
class Browser:
    """Somebody's browser, at one replica."""

    client: httpx2.AsyncClient

    async def session(self, **fields: Any) -> str:
        response = await self.client.post("/api/sessions", json=fields)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    @asynccontextmanager
    async def ask(self, session: str, content: str | None = None, **fields: Any) -> AsyncIterator[Stream]:
        body = fields if content is None else {"content": content, **fields}
        async with self.stream("POST", f"/api/sessions/{session}/messages", json=body) as stream:
            yield stream

    @asynccontextmanager
    async def stream(self, method: str, path: str, **arguments: Any) -> AsyncIterator[Stream]:
        async with self.client.stream(method, path, **arguments) as response:
            if response.status_code != 200:
                await response.aread()
                raise AssertionError(f"{response.status_code}: {response.text}")
            events = _events(response)
            try:
                yield Stream(response, events)
            finally:
                await events.aclose()

    async def answer(self, session: str, content: str | None = None, **fields: Any) -> list[Event]:
        """Asks and reads the stream to its end."""
        async with self.ask(session, content, **fields) as stream:
            return await stream.rest()

    async def messages(self, session: str) -> list[Json]:
        response = await self.client.get(f"/api/sessions/{session}/messages")
        assert response.status_code == 200, response.text
        items = response.json()["items"]
        assert isinstance(items, list)
        return items


async def _events(response: httpx2.Response) -> AsyncGenerator[Event, None]:
    async for event in httpx2.EventSource(response):
        yield Event(int(event.id or 0), event.event, json.loads(event.data))


def text_of(events: list[Event]) -> str:
    """The text that a reader has after these events."""
    text = ""
    for event in events:
        if event.type == "sources":
            text = ""
        elif event.type == "token":
            text += event.data["text"]
    return text


@dataclass(slots=True)
class Replica:
    """One process of the service, as far as a test is concerned."""

    app: FastAPI
    url: str

    @property
    def executor(self) -> Executor:
        executor = self.app.state.service.executor
        assert isinstance(executor, Executor)
        return executor

    def kill_workers(self) -> None:
        """As `kill -9` does: the work stops, nothing is stored or given back."""
        for task in list(self.executor._tasks.values()):
            task.cancel()
        self.executor._tasks.clear()
        self.executor._stopped = True

    @asynccontextmanager
    async def browser(self, headers: dict[str, str] | None = None) -> AsyncIterator[Browser]:
        async with httpx2.AsyncClient(
            base_url=self.url, headers=headers, timeout=WAIT_SECONDS, trust_env=False
        ) as client:
            yield Browser(client)


def settings_for(
    database: Database,
    *,
    query: str = "http://127.0.0.1:9",
    ingest: str = "http://127.0.0.1:9",
    token_mode: bool = False,
    page: Path | None = None,
    samples: Path | None = None,
    retry: float = 0.3,
    **run: Any,
) -> Settings:
    """Settings with times that a test can wait for."""
    quick: dict[str, Any] = {
        "lease": timedelta(seconds=20),
        "heartbeat": timedelta(milliseconds=50),
        "reap": timedelta(milliseconds=50),
        "poll": timedelta(milliseconds=500),
        "flush": timedelta(milliseconds=5),
    }
    return Settings(
        database=DatabaseSettings(url=SecretStr(database.url("pilothouse_chat")), pool_max=4, wait=OUTAGE),
        auth=AuthSettings(mode="token", key=KEY) if token_mode else AuthSettings(),
        upstream=UpstreamSettings(
            query=HttpUrl(query), ingest=HttpUrl(ingest), retry=timedelta(seconds=retry)
        ),
        run=RunSettings(**(quick | run)),
        stream=StreamSettings(),
        samples=SamplesSettings(path=samples),
        page=PageSettings(path=page) if page is not None else PageSettings(),
    )


@asynccontextmanager
async def replica(settings: Settings) -> AsyncIterator[Replica]:
    """A replica with these settings."""
    app = create_app(settings)
    async with serving(app) as url:
        yield Replica(app, url)
