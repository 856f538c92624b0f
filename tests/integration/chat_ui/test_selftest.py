"""The self-test: through the page against all services, and against pages that are out of order."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from pydantic import HttpUrl, SecretStr
from starlette.types import Message, Receive, Scope, Send

from integration.chat_ui.replicas import KEY, replica, serving, settings_for
from integration.query.conftest import running_query
from pilothouse_chat_ui.selftest.run import run
from pilothouse_chat_ui.selftest.settings import Settings, TargetSettings
from pilothouse_core.auth_settings import AuthSettings
from pilothouse_core.settings import DatabaseSettings
from pilothouse_core.testing import HashEmbedder
from pilothouse_ingest.settings import IngestSettings, ParsingSettings
from pilothouse_ingest.worker import run_worker
from pilothouse_query.settings import Settings as QuerySettings
from support.database import Database
from support.ingest_api import serve_api
from support.scripted_model import ScriptedModel, serve_scripted_model

AUTH = AuthSettings(mode="token", key=KEY)


def selftest_of(url: str, *, seconds: float = 60, key: SecretStr = KEY) -> Settings:
    return Settings(
        auth=AuthSettings(mode="token", key=key),
        selftest=TargetSettings(url=HttpUrl(url), wait=timedelta(seconds=seconds)),
    )


@dataclass(slots=True)
class Through:
    """Stands before the page; a test may change answers on their way."""

    app: Any
    # A path and what to do instead of passing the request on.
    instead: dict[str, Callable[[Send], Any]] = field(default_factory=dict)
    cuts: int = 0
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(f"{scope['method']} {scope['path']}")
        for pattern, answer in self.instead.items():
            if re.fullmatch(pattern, self.paths[-1]):
                await answer(send)
                return

        async def cut(message: Message) -> None:
            await send(message)
            if self.cuts and b"event: " in message.get("body", b""):
                self.cuts -= 1
                raise ConnectionAbortedError("as the test says")

        await self.app(scope, receive, cut)


def html(status: int = 200) -> Callable[[Send], Any]:
    return says(b"<html><body>Sign in</body></html>", status, b"text/html")


def says(body: bytes, status: int = 200, kind: bytes = b"application/json") -> Callable[[Send], Any]:
    async def answer(send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": body})

    return answer


@asynccontextmanager
async def ingest_at(database: Database, *, worker: bool = True) -> AsyncIterator[str]:
    """The ingest API and a worker."""
    settings = IngestSettings(
        database=DatabaseSettings(url=SecretStr(database.url("pilothouse_ingest")), pool_max=6),
        auth=AUTH,
        parsing=ParsingSettings(processes=1),
    )
    stop = asyncio.Event()
    async with serve_api(settings) as client, asyncio.TaskGroup() as tasks:
        if worker:
            tasks.create_task(run_worker(settings, stop=stop, embedder=HashEmbedder()))
        try:
            yield str(client.base_url)
        finally:
            stop.set()


@asynccontextmanager
async def page_before(database: Database, query_url: str, ingest_url: str) -> AsyncIterator[Through]:
    settings = settings_for(database, query=query_url, ingest=ingest_url, token_mode=True)
    async with replica(settings) as page:
        yield Through(page.app)


@pytest.fixture
async def page(database: Database) -> AsyncIterator[Through]:
    """The page before real services; the language model is scripted."""
    settings = QuerySettings(
        database=DatabaseSettings(url=SecretStr(database.url("pilothouse_query")), pool_max=4), auth=AUTH
    )
    with serve_scripted_model(ScriptedModel()) as model_url:
        settings.model.url = HttpUrl(model_url)
        async with (
            running_query(settings, HashEmbedder()) as query_url,
            ingest_at(database) as ingest_url,
            page_before(database, query_url, ingest_url) as page,
        ):
            yield page


async def left_behind(database: Database) -> tuple[int, int]:
    """Collections and chats."""
    async with await psycopg.AsyncConnection.connect(database.url("postgres")) as conn:
        found = await conn.execute(
            "SELECT (SELECT count(*) FROM documents.collections), (SELECT count(*) FROM chat.sessions)"
        )
        row = await found.fetchone()
    assert row
    return row[0], row[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    passed: bool
    lines: list[str]

    @property
    def failures(self) -> list[str]:
        return [line for line in self.lines if "  FAILED: " in line]


@pytest.fixture
def selftest(capsys: pytest.CaptureFixture[str]) -> Callable[[Settings], Awaitable[Outcome]]:
    """Runs the test; gives the lines of its report, without the services' own log."""

    async def outcome(settings: Settings) -> Outcome:
        passed = await run(settings)
        printed = capsys.readouterr().out.splitlines()
        return Outcome(passed, [line for line in printed if re.search(r" \d+\.\d s  [a-zA-Z]+", line)])

    return outcome


SelfTest = Callable[[Settings], Awaitable[Outcome]]


async def test_it_passes_through_the_whole_product_and_leaves_nothing_behind(
    page: Through, database: Database, selftest: SelfTest
) -> None:
    async with serving(page, lifespan=False) as url:
        outcome = await selftest(selftest_of(url))
    assert outcome.passed, outcome.lines
    assert len(outcome.lines) == 9
    assert all("  ok: " in line for line in outcome.lines)
    assert "it says that the document does not hold it" in outcome.lines[6]
    assert await left_behind(database) == (0, 0)
